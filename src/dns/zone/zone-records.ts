import { fromByteString } from '../../net/byte-string.ts'
import type { ResourceRecord } from '../wire/message.ts'
import { type DnsName, parseName } from '../wire/name.ts'
import { recordClasses, recordTypes } from '../wire/numbers.ts'
import type { SoaData } from '../wire/record-data.ts'
import type { Host } from './host.ts'

/** Spec 1.1.0 section 2.2: what `dns-version` says. */
const schemaVersion = '1.1.0'

/** Seconds; CoreDNS gives the version this time to live, whatever the directive says. */
const versionTtl = 28_800

/** Upper bound of the SOA's time to live, seconds: negative answers are not kept longer. */
const maxSoaTtl = 300

/** `owner` below the zone. */
export function nameInZone(owner: string, zone: DnsName): DnsName {
  return zone === '.' ? `${owner}.` : `${owner}.${zone}`
}

/** A or AAAA of a host that is an address. */
export function addressRecord(name: DnsName, host: Host, ttl: number): ResourceRecord {
  const kind = host.kind === 'AAAA' ? 'AAAA' : 'A'
  return record(name, recordTypes[kind], ttl, { kind, address: host.text })
}

/** CNAME of a host that is a name; undefined when the object's text is not a name at all. */
export function aliasRecord(name: DnsName, host: Host, ttl: number): AliasRecord | undefined {
  const target = parseName(host.text)
  if (target === undefined) return undefined
  return record(name, recordTypes.CNAME, ttl, { kind: 'CNAME', target })
}

/** A CNAME record. */
export type AliasRecord = ResourceRecord & {
  readonly data: { readonly kind: 'CNAME'; readonly target: DnsName }
}

/** SRV with priority 0. */
export function serviceRecord(
  name: DnsName,
  target: DnsName,
  port: number,
  weight: number,
  ttl: number,
): ResourceRecord {
  const data = { kind: 'SRV', priority: 0, weight, port, target } as const
  return record(name, recordTypes.SRV, ttl, data)
}

/** PTR. */
export function pointerRecord(name: DnsName, target: DnsName, ttl: number): ResourceRecord {
  return record(name, recordTypes.PTR, ttl, { kind: 'PTR', target })
}

/** NS. */
export function nameServerRecord(zone: DnsName, target: DnsName, ttl: number): ResourceRecord {
  return record(zone, recordTypes.NS, ttl, { kind: 'NS', target })
}

/** TXT of `dns-version`. */
export function versionRecord(name: DnsName): ResourceRecord {
  const strings = [fromByteString(schemaVersion)]
  return record(name, recordTypes.TXT, versionTtl, { kind: 'TXT', strings })
}

/** SOA with CoreDNS' times. */
export function soaRecord(
  zone: DnsName,
  serial: number,
  ttl: number,
): ResourceRecord & { readonly data: SoaData } {
  return record(zone, recordTypes.SOA, Math.min(ttl, maxSoaTtl), {
    kind: 'SOA',
    mname: nameInZone('ns.dns', zone),
    rname: nameInZone('hostmaster', zone),
    serial,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ttl,
  })
}

/** The weight of each of `count` SRV records: equal shares of 100, at least 1. In floating point, as
 *  CoreDNS computes it. */
export function shareOfWeight(count: number): number {
  return Math.max(1, Math.floor((100 / (100 * count)) * 100))
}

function record<D>(
  name: DnsName,
  type: number,
  ttl: number,
  data: D,
): { name: DnsName; type: number; class: number; ttl: number; data: D } {
  return { name, type, class: recordClasses.IN, ttl, data }
}
