import { execFileSync } from 'node:child_process'
import { distribution } from '../support/percentile.ts'

/** How long a restore program takes to add one rule to a chain that nothing leads to, with all the rules that
 *  are there, milliseconds: nobody who starts it can be faster. */
export function measureFloor(program: string, changes: number): { p50: number; p99: number } {
  const run = (...lines: readonly string[]): void => {
    const input = ['*nat', ...lines, 'COMMIT\n'].join('\n')
    execFileSync(program, ['--noflush', '-w', '5'], { input })
  }
  run(':PORTOLAN-FLOOR - [0:0]')
  const times: number[] = []
  for (let turn = 0; turn < changes; turn++) {
    const start = performance.now()
    run(`-A PORTOLAN-FLOOR -s 192.0.2.${turn % 250}/32 -j RETURN`)
    times.push(performance.now() - start)
  }
  run(':PORTOLAN-FLOOR - [0:0]', '-X PORTOLAN-FLOOR')
  return distribution(times)
}
