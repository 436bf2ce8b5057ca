import type { DnsScenario, RecordedAnswer, RecordedRecord } from './dns-scenario.ts'

/** Facts of the machine that the original ran on. The data does not state them, but its answers do. */
export interface RecordedMachine {
  /** Addresses of the server, which are the zone's name servers. */
  readonly addresses: readonly string[]
}

/** Reads them from the answers about `ns.dns` of the zones. */
export function recordedMachine(scenario: DnsScenario): RecordedMachine {
  const addresses = new Set<string>()
  for (const { a } of scenario.steps.flatMap(({ exchanges }) => exchanges)) {
    if (a === 'timeout' || 'timeout' in a) continue
    for (const record of recordsOf(a)) {
      const isAddress = record.type === 'A' || record.type === 'AAAA'
      if (!isAddress || !/^ns\.dns\./i.test(record.name ?? '')) continue
      addresses.add(String(record.data))
    }
  }
  return { addresses: [...addresses] }
}

function recordsOf(answer: RecordedAnswer): readonly RecordedRecord[] {
  return [...answer.answers, ...answer.additionals]
}
