import type { KubernetesSettings } from '../corefile/decode-kubernetes.ts'
import type { ResourceRecord } from '../wire/message.ts'
import type { DnsName } from '../wire/name.ts'
import { recordTypes } from '../wire/numbers.ts'
import type { ClusterNames } from './cluster-names.ts'
import { findHosts } from './find-hosts.ts'
import { findPointers } from './find-pointers.ts'
import type { Host } from './host.ts'
import { nameServers } from './name-servers.ts'
import { addressOfReverseName } from './reverse-name.ts'
import {
  addressRecord,
  aliasRecord,
  nameInZone,
  nameServerRecord,
  pointerRecord,
  serviceRecord,
  shareOfWeight,
  soaRecord,
  versionRecord,
} from './zone-records.ts'

/** What answers are made from. */
export interface ZoneView {
  readonly names: ClusterNames
  readonly settings: KubernetesSettings
  /** The first zone that is not a reverse zone: pointers lead there. */
  readonly primaryZone: DnsName
  /** Addresses of this machine that clients reach it at, canonical. */
  readonly localAddresses: () => readonly string[]
}

/** A question in a zone. */
export interface ZoneQuestion {
  /** As the client spelt it. */
  readonly name: DnsName
  /** `name` in lower case. */
  readonly key: DnsName
  readonly type: number
  /** The zone as the client spelt it: the ending of `name`. */
  readonly zone: DnsName
  /** `zone` in lower case. */
  readonly zoneKey: DnsName
}

/** What the zone says without asking anybody else. */
export type ZoneAnswer =
  /** No records: there is such a name, but nothing of this type (NODATA). */
  | {
      readonly kind: 'records'
      readonly answers: Records
      readonly additional: Records
      /** It depends on nothing but the objects that were looked up. */
      readonly isLasting: boolean
    }
  /** There is no such name (NXDOMAIN). */
  | { readonly kind: 'absent' }
  /** Not asked with a query. */
  | { readonly kind: 'refused' }
  /** Some hosts are names: their addresses must be asked for. */
  | { readonly kind: 'aliases'; readonly hosts: readonly Host[] }

type Records = readonly ResourceRecord[]

/** Answers a question in one of the zones. The rules of types and names are those of CoreDNS. */
export function answerQuestion(view: ZoneView, question: ZoneQuestion): ZoneAnswer {
  const { type, key, zoneKey } = question
  if (type === recordTypes.AXFR || type === recordTypes.IXFR) return { kind: 'refused' }
  if (type === recordTypes.PTR) return answerPtr(view, question)
  if (type === recordTypes.TXT) return answerTxt(view, question)
  if (type === recordTypes.SOA) return answerSoa(view, question)
  if (type === recordTypes.NS && key === zoneKey) return answerNs(view, question)
  if (key === nameInZone('ns.dns', zoneKey)) return answerNameServer(view, question)
  const hosts = findHosts(view.names, view.settings, key, zoneKey)
  if (hosts === undefined) return absent
  switch (type) {
    case recordTypes.A:
    case recordTypes.AAAA:
      if (hosts.some((host) => host.kind === 'CNAME')) return { kind: 'aliases', hosts }
      return records(addressesOf(view, question, hosts))
    case recordTypes.SRV:
      return answerSrv(view, question, hosts)
    case recordTypes.CNAME:
      return answerCname(view, question, hosts)
    default:
      return noData
  }
}

const absent: ZoneAnswer = { kind: 'absent' }
const noData: ZoneAnswer = { kind: 'records', answers: [], additional: [], isLasting: true }

function records(answers: Records, additional: Records = []): ZoneAnswer {
  return { kind: 'records', answers, additional, isLasting: true }
}

/** The addresses of this machine and the serial change without any name. */
function passing(answers: Records, additional: Records = []): ZoneAnswer {
  return { kind: 'records', answers, additional, isLasting: false }
}

/** The address records of the asked type, each address once. */
export function addressesOf(
  view: ZoneView,
  question: Pick<ZoneQuestion, 'name' | 'type'>,
  hosts: readonly Host[],
): ResourceRecord[] {
  const kind = question.type === recordTypes.A ? 'A' : 'AAAA'
  const found = new Map<string, ResourceRecord>()
  for (const host of hosts) {
    if (host.kind !== kind || found.has(host.text)) continue
    found.set(host.text, addressRecord(question.name, host, view.settings.ttlSeconds))
  }
  return [...found.values()]
}

/** A name that is no address of the reverse tree has no pointers, but may be there. */
function answerPtr(view: ZoneView, question: ZoneQuestion): ZoneAnswer {
  const { names, settings, primaryZone } = view
  const address = addressOfReverseName(question.key)
  if (address === undefined) {
    const hosts = findHosts(names, settings, question.key, question.zoneKey)
    return hosts === undefined ? absent : noData
  }
  const targets = findPointers(names, settings, address, primaryZone)
  if (targets.length === 0) return absent
  return records(targets.map((target) => pointerRecord(question.name, target, settings.ttlSeconds)))
}

/** Only the version of the schema is TXT. Names without hosts count as absent for it, as in CoreDNS. */
function answerTxt(view: ZoneView, question: ZoneQuestion): ZoneAnswer {
  if (question.key === nameInZone('dns-version', question.zoneKey)) {
    return records([versionRecord(question.name)])
  }
  const hosts = findHosts(view.names, view.settings, question.key, question.zoneKey)
  return hosts === undefined || hosts.length === 0 ? absent : noData
}

/** Names below the zone are not looked up for SOA: none is ever absent. */
function answerSoa(view: ZoneView, question: ZoneQuestion): ZoneAnswer {
  if (question.key !== question.zoneKey) return noData
  const { names, settings } = view
  return passing([soaRecord(question.zone, names.serial, settings.ttlSeconds)])
}

function answerNs(view: ZoneView, question: ZoneQuestion): ZoneAnswer {
  const { names, settings } = view
  const ttl = settings.ttlSeconds
  const servers = nameServers(names, settings, view.localAddresses(), question.zone)
  const targets = new Set(servers.map(({ name }) => name))
  return passing(
    [...targets].map((target) => nameServerRecord(question.zone, target, ttl)),
    servers.map(({ name, host }) => addressRecord(name, host, ttl)),
  )
}

/** `ns.dns` of the zone has the addresses of the name servers, under its own name. */
function answerNameServer(view: ZoneView, question: ZoneQuestion): ZoneAnswer {
  if (question.type !== recordTypes.A && question.type !== recordTypes.AAAA) return noData
  const servers = nameServers(view.names, view.settings, view.localAddresses(), question.zone)
  return passing(
    addressesOf(
      view,
      question,
      servers.map(({ host }) => host),
    ),
  )
}

/** One record a port and target, one address record a target and address. Hosts that are names are left
 *  out, and so are those of objects without ports; every host with an address counts for the weight. */
function answerSrv(view: ZoneView, question: ZoneQuestion, hosts: readonly Host[]): ZoneAnswer {
  const { ttlSeconds } = view.settings
  const addressed = hosts.filter((host) => host.kind !== 'CNAME')
  const weight = shareOfWeight(addressed.length)
  const answers = new Map<string, ResourceRecord>()
  const additional = new Map<string, ResourceRecord>()
  for (const host of addressed) {
    if (host.port < 0) continue
    const target = nameInZone(host.owner, question.zone)
    const answerKey = `${target} ${host.port}`
    if (!answers.has(answerKey)) {
      const answer = serviceRecord(question.name, target, host.port, weight, ttlSeconds)
      answers.set(answerKey, answer)
    }
    const addressKey = `${target} ${host.text}`
    if (!additional.has(addressKey)) {
      additional.set(addressKey, addressRecord(target, host, ttlSeconds))
    }
  }
  return records([...answers.values()], [...additional.values()])
}

function answerCname(view: ZoneView, question: ZoneQuestion, hosts: readonly Host[]): ZoneAnswer {
  const [first] = hosts
  if (first?.kind !== 'CNAME') return noData
  const alias = aliasRecord(question.name, first, view.settings.ttlSeconds)
  return alias === undefined ? noData : records([alias])
}
