import { replyMessage } from '../../../src/dns/chain/reply.ts'
import type { Upstream } from '../../../src/dns/upstream/upstream.ts'
import type { Message, ResourceRecord } from '../../../src/dns/wire/message.ts'
import { isInZone, nameKey } from '../../../src/dns/wire/name.ts'
import { rcodes, recordClasses } from '../../../src/dns/wire/numbers.ts'
import { lookupZone } from '../../../src/dns/zonefile/lookup-zone.ts'
import { parseRecordText } from '../../../src/dns/zonefile/parse-record.ts'
import { parseZoneFile } from '../../../src/dns/zonefile/parse-zone-file.ts'
import { type Zone, zoneOf } from '../../../src/dns/zonefile/zone.ts'
import type { DnsScenario } from './dns-scenario.ts'

/** The zone that upstream servers were given. */
const origin = 'example.test.'

/** What the recorded upstream said about every other name. */
const rootSoa = '. 60 SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 60'

/** The server that the original forwarded to: authoritative for one zone and the root. In some recordings
 *  it had not loaded the zone: names of the file were denied by the root. */
export function recordedUpstream(scenario: DnsScenario): Upstream {
  const zone = wasLoaded(scenario) ? readZone(scenario.upstreamZone) : undefined
  return {
    label: 'recorded',
    exchange: (query) => Promise.resolve(replyTo(query, zone)),
    close: () => undefined,
  }
}

function readZone(text: string): Zone | undefined {
  const records = text === '' ? [] : parseZoneFile(text, origin, () => undefined)
  return zoneOf(origin, records)
}

function wasLoaded({ steps }: DnsScenario): boolean {
  const wasDenied = steps.some(({ exchanges }) =>
    exchanges.some(({ q, a }) => {
      if (q.name.toLowerCase() !== 'www.example.test' || a === 'timeout') return false
      return 'authorities' in a && a.authorities.some(({ name }) => name === '.')
    }),
  )
  return !wasDenied
}

function replyTo(query: Message, zone: Zone | undefined): Message {
  const question = query.questions[0]
  const name = nameKey(question?.name ?? '.')
  const isKnown = zone !== undefined && isInZone(name, zone.origin)
  const { udpSize = 0, isDnssecOk = false } = query.edns ?? {}
  const edns = query.edns && { udpSize, version: 0, isDnssecOk, options: [] }
  // Only one class was served.
  if (question?.class !== recordClasses.IN) {
    return replyMessage(query, { rcode: rcodes.REFUSED, edns })
  }
  if (!isKnown) {
    const rcode = rcodes.NXDOMAIN
    return replyMessage(query, { flags: { aa: true }, rcode, authority: denial(), edns })
  }
  const found = lookupZone(zone, name, question.type)
  const rcode = found.kind === 'name-error' ? rcodes.NXDOMAIN : rcodes.NOERROR
  return replyMessage(query, { ...found, flags: { aa: true }, rcode, edns })
}

function denial(): readonly ResourceRecord[] {
  const soa = parseRecordText(rootSoa, 60)
  return soa === undefined ? [] : [soa]
}
