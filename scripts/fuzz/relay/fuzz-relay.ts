import { openReactor } from '../../../src/reactor/open-reactor.ts'
import type { EngineName } from '../../../src/reactor/reactor.ts'
import { relayStorm } from './relay-storm.ts'

/** Engines whose relays can be fuzzed. */
export const fuzzedEngines: readonly EngineName[] = ['uring', 'epoll', 'portable']

/** Connections of one reactor; what is left is looked for after each. */
const connectionsOfStorm = 5_000
const width = 64

/** What is asked for. */
export interface RelayFuzzing {
  readonly seed: number
  /** Connections through each engine. */
  readonly count: number
  /** Undefined: each that works here. */
  readonly engine: string | undefined
}

/** Sends random peers through the relay of each engine; gives the number of findings. */
export async function fuzzRelay(
  { seed, count, engine }: RelayFuzzing,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  let findings = 0
  for (const name of workingEngines(engine, print)) {
    const start = performance.now()
    for (let done = 0; done < count && !signal.aborted; done += connectionsOfStorm) {
      const storm = {
        engine: name,
        seed: seed + done,
        count: Math.min(connectionsOfStorm, count - done),
        width,
      }
      const faults = await relayStorm(storm, signal)
      for (const fault of faults) print(`FOUND relay, ${name}: ${fault}`)
      findings += faults.length
      if (faults.length === 0) continue
      print(
        `  again: npm run fuzz -- relay --engine ${name} --seed ${storm.seed} --runs ${storm.count}`,
      )
      break
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    print(
      `relay, ${name}: ${signal.aborted ? 'out of time' : `${count} connections`}, ${seconds} s`,
    )
  }
  return findings
}

function workingEngines(
  wanted: string | undefined,
  print: (line: string) => void,
): readonly EngineName[] {
  const chosen = fuzzedEngines.filter((name) => wanted === undefined || name === wanted)
  return chosen.filter((engine) => {
    const abort = new AbortController()
    try {
      openReactor({ engine }, abort.signal)
      return true
    } catch (error) {
      print(`relay, ${engine}: left out: ${error instanceof Error ? error.message : error}`)
      return false
    } finally {
      abort.abort()
    }
  })
}
