import { suite, type Test } from 'uvu'
import { openReactor } from '../../../src/reactor/open-reactor.ts'
import type { EngineName } from '../../../src/reactor/reactor.ts'

const names: readonly EngineName[] = ['portable', 'epoll', 'uring']

/** Tests that run on each engine of this machine. `except`: engines that cannot do it, by what docs/reactor.md
 *  says of them. */
export interface Contract {
  test(title: string, run: (engine: EngineName) => Promise<void>, except?: EngineName): void
  run(): void
}

/** Makes a contract; engines that do not work here are named in the output. */
export function contract(subject: string): Contract {
  const suites = new Map<EngineName, Test>()
  for (const engine of names.filter(works)) suites.set(engine, suite(`${subject}, ${engine}`))
  return {
    test(title, run, except) {
      for (const [engine, tests] of suites) {
        if (engine !== except) tests(title, () => run(engine))
      }
    },
    run() {
      for (const tests of suites.values()) tests.run()
    },
  }
}

function works(engine: EngineName): boolean {
  const abort = new AbortController()
  try {
    openReactor({ engine }, abort.signal)
    return true
  } catch (error) {
    process.stdout.write(
      `# skipped: engine ${engine}: ${error instanceof Error ? error.message : error}\n`,
    )
    return false
  } finally {
    abort.abort()
  }
}
