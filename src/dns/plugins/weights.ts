import type { Clock } from '../../kube/clock.ts'
import { parseAddress } from '../../net/address.ts'
import type { Logger } from '../../observe/logger.ts'
import type { WeightFile } from '../corefile/decode-loadbalance.ts'
import type { ResourceRecord } from '../wire/message.ts'
import { type DnsName, nameKey, parseName } from '../wire/name.ts'
import { readTextFile, watchFile } from './watched-file.ts'

/** Weights of addresses, kept up to date. */
export interface WeightTable {
  /** 1 for a record that the file does not name. */
  weightOf(record: ResourceRecord): number
  /** Reads the file again when it changes, until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>
}

/** Weights by name and address. */
type Weights = ReadonlyMap<DnsName, ReadonlyMap<string, number>>

/** The weights of `loadbalance weighted FILE`. A file that is missing or wrong leaves those before. */
export function weightTable(
  { path, reloadMs }: WeightFile,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): WeightTable {
  let weights: Weights = new Map()
  const read = (text: string): void => {
    const parsed = parseWeights(text)
    if (typeof parsed === 'string') log.error({ path, reason: parsed }, 'weights are not used')
    else weights = parsed
  }
  read(readTextFile(path) ?? '')
  return {
    weightOf({ name, data }) {
      if (data.kind !== 'A' && data.kind !== 'AAAA') return 1
      return weights.get(nameKey(name))?.get(data.address) ?? 1
    },
    run: (signal) => watchFile({ path, intervalMs: reloadMs }, clock, signal, read),
  }
}

/** Lines with a name, and below it lines of address and weight 1..255; a text is what is wrong. */
function parseWeights(text: string): Weights | string {
  const weights = new Map<DnsName, Map<string, number>>()
  let current: Map<string, number> | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const [first = '', second, extra] = line.trim().split(/\s+/)
    if (first === '' || first.startsWith('#')) continue
    const where = `line ${index + 1}: got ${JSON.stringify(line.trim())}`
    const address = parseAddress(first)
    if (second === undefined) {
      const name = address === undefined ? parseName(first) : undefined
      if (name === undefined) return `${where}, expected a domain name`
      current = weights.get(nameKey(name)) ?? new Map()
      weights.set(nameKey(name), current)
      continue
    }
    const weight = Number(second)
    const isWeight = Number.isInteger(weight) && weight > 0 && weight < 256
    if (address === undefined || !isWeight || extra !== undefined) {
      return `${where}, expected an address and a weight 1..255`
    }
    if (current === undefined) return `${where}, expected a domain name before it`
    current.set(address.text, weight)
  }
  return weights
}
