import type { ResourceRecord } from '../wire/message.ts'
import { type DnsName, isInZone, nameKey, nameLabels } from '../wire/name.ts'
import { recordTypes } from '../wire/numbers.ts'
import type { Zone } from './zone.ts'

/** What a zone says to a question (RFC 1034 section 4.3.2). */
export interface ZoneAnswer {
  readonly kind: 'found' | 'no-data' | 'name-error' | 'delegation'
  readonly answers: readonly ResourceRecord[]
  readonly authority: readonly ResourceRecord[]
  readonly additional: readonly ResourceRecord[]
  /** An alias leads out of what the zone knows: the answer goes on with this name. */
  readonly leadsTo: DnsName | undefined
}

/** More aliases in a row are a circle. */
const maxAliases = 8

/** Answers a question for a name in lower case in the zone. */
export function lookupZone(zone: Zone, name: DnsName, type: number): ZoneAnswer {
  if (name === zone.origin) {
    if (type === recordTypes.SOA) return found(zone, [zone.soa])
    if (type === recordTypes.NS) {
      return { ...found(zone, zone.ns), authority: [], additional: glueOf(zone, zone.ns) }
    }
  }
  const labels = nameLabels(name)
  const originCount = nameLabels(zone.origin).length
  let wildcard: DnsName | undefined
  for (let count = originCount; count <= labels.length; count++) {
    const part = joined(labels.slice(labels.length - count))
    if (!zone.has(part)) {
      const star = joined(['*', ...labels.slice(labels.length - count + 1)])
      if (zone.has(star)) wildcard = star
      continue
    }
    const [dname] = zone.recordsOf(part, recordTypes.DNAME)
    if (dname !== undefined && part !== name) return substitute(zone, dname, name, type)
    const servers = part === zone.origin ? [] : zone.recordsOf(part, recordTypes.NS)
    if (servers.length > 0 && !(type === recordTypes.DS && part === name)) {
      const additional = glueOf(zone, servers)
      return { ...nothing('delegation'), authority: servers, additional }
    }
  }
  if (zone.has(name)) return answerFrom(zone, name, name, type)
  if (wildcard !== undefined) return answerFrom(zone, wildcard, name, type)
  const kind = zone.isEmptyName(name) ? 'no-data' : 'name-error'
  return { ...nothing(kind), authority: [zone.soa] }
}

/** Records of `owner`, given as those of `name` when it is a wildcard. */
function answerFrom(zone: Zone, owner: DnsName, name: DnsName, type: number): ZoneAnswer {
  const own = (records: readonly ResourceRecord[]): readonly ResourceRecord[] =>
    owner === name ? records : records.map((record) => ({ ...record, name }))
  const aliases = own(zone.recordsOf(owner, recordTypes.CNAME))
  if (aliases.length > 0 && type !== recordTypes.CNAME) return follow(zone, aliases, type)
  const records = own(zone.recordsOf(owner, type))
  if (records.length === 0) return { ...nothing('no-data'), authority: [zone.soa] }
  const additional = owner === name ? addressesOf(zone, records) : []
  return { ...found(zone, records), additional }
}

/** Aliases, and what they lead to inside the zone. */
function follow(zone: Zone, aliases: readonly ResourceRecord[], type: number): ZoneAnswer {
  const answers = [...aliases]
  let current = aliases[0]
  for (let count = 0; count <= maxAliases; count++) {
    if (current?.data.kind !== 'CNAME') break
    const target = nameKey(current.data.target)
    if (!isInZone(target, zone.origin) || !zone.has(target)) {
      return { ...found(zone, answers), leadsTo: target }
    }
    const [next] = zone.recordsOf(target, recordTypes.CNAME)
    answers.push(...(next === undefined ? zone.recordsOf(target, type) : [next]))
    current = next
  }
  return found(zone, answers)
}

/** DNAME (RFC 6672): the alias that it stands for, and what that leads to. */
function substitute(zone: Zone, dname: ResourceRecord, name: DnsName, type: number): ZoneAnswer {
  if (dname.data.kind !== 'DNAME') return nothing('no-data')
  const prefix = name.slice(0, name.length - dname.name.length)
  const target = dname.data.target === '.' ? prefix : `${prefix}${dname.data.target}`
  const alias: ResourceRecord = {
    name,
    type: recordTypes.CNAME,
    class: dname.class,
    ttl: dname.ttl,
    data: { kind: 'CNAME', target },
  }
  const led = type === recordTypes.CNAME ? found(zone, [alias]) : follow(zone, [alias], type)
  return { ...led, answers: [dname, ...led.answers] }
}

function found(zone: Zone, answers: readonly ResourceRecord[]): ZoneAnswer {
  return { kind: 'found', answers, authority: zone.ns, additional: [], leadsTo: undefined }
}

function nothing(kind: ZoneAnswer['kind']): ZoneAnswer {
  return { kind, answers: [], authority: [], additional: [], leadsTo: undefined }
}

/** Addresses of name servers, as far as the zone holds them. */
function glueOf(zone: Zone, servers: readonly ResourceRecord[]): readonly ResourceRecord[] {
  return servers.flatMap(({ data }) => (data.kind === 'NS' ? addresses(zone, data.target) : []))
}

/** Addresses of the targets of MX and SRV records. */
function addressesOf(zone: Zone, records: readonly ResourceRecord[]): readonly ResourceRecord[] {
  return records.flatMap(({ data }) =>
    data.kind === 'MX' || data.kind === 'SRV' ? addresses(zone, data.target) : [],
  )
}

function addresses(zone: Zone, target: DnsName): readonly ResourceRecord[] {
  const name = nameKey(target)
  return [...zone.recordsOf(name, recordTypes.A), ...zone.recordsOf(name, recordTypes.AAAA)]
}

function joined(labels: readonly string[]): DnsName {
  return labels.length === 0 ? '.' : `${labels.join('.')}.`
}
