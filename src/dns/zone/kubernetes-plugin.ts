import type { Next, Outcome, Plugin } from '../chain/plugin.ts'
import { type Answer, type AnswerParts, answerTo, failure } from '../chain/reply.ts'
import type { Request } from '../chain/request.ts'
import { isInZones, longestZone } from '../chain/zones.ts'
import type { KubernetesSettings } from '../corefile/decode-kubernetes.ts'
import type { ResourceRecord } from '../wire/message.ts'
import { type DnsName, nameKey } from '../wire/name.ts'
import { rcodes } from '../wire/numbers.ts'
import { answerQuestion, type ZoneQuestion, type ZoneView } from './answer-question.ts'
import { type Chased, chaseAliases } from './chase-aliases.ts'
import type { ClusterNames } from './cluster-names.ts'
import { describeName } from './describe-name.ts'
import type { Host } from './host.ts'
import { isReverseZone } from './reverse-name.ts'
import { transferZone } from './transfer-zone.ts'
import { nameInZone, soaRecord } from './zone-records.ts'

/** What the plugin works with, beside its directive. */
export interface KubernetesInputs {
  readonly names: ClusterNames
  /** Addresses of this machine that clients reach it at, canonical: the zone's name servers. */
  readonly localAddresses: () => readonly string[]
  /** Search domains of this machine's resolv.conf, absolute: `autopath` ends with them. */
  readonly searchDomains: () => readonly DnsName[]
}

/** The `kubernetes` plugin: answers for names of services, endpoints and pods, and for their addresses. */
export function kubernetesPlugin(settings: KubernetesSettings, inputs: KubernetesInputs): Plugin {
  const { names, localAddresses, searchDomains } = inputs
  const primaryZone = settings.zones.find((zone) => !isReverseZone(zone)) ?? 'cluster.local.'
  const view: ZoneView = { names, settings, primaryZone, localAddresses }
  return {
    name: 'kubernetes',
    serve: (request, next) => serve(view, request, next),
    isReady: () => names.isComplete,
    searchPath: (request) => searchPath(view, request, searchDomains()),
    transfer: (zone) => {
      const key = nameKey(zone)
      return settings.zones.includes(key) ? transferZone(view, zone) : undefined
    },
  }
}

function serve(view: ZoneView, request: Request, next: Next): Outcome {
  const zoneKey = longestZone(view.settings.zones, request.name)
  if (zoneKey === undefined) return next(request)
  const { name, type } = request.question
  const zone = zoneKey === '.' ? '.' : name.slice(-zoneKey.length)
  const question: ZoneQuestion = { name, key: request.name, type, zone, zoneKey }
  if (request.trace !== undefined) {
    for (const line of describeName(view, question)) request.trace.note('kubernetes', line)
  }
  const found = answerQuestion(view, question)
  switch (found.kind) {
    case 'refused':
      return failure(rcodes.REFUSED, undefined)
    case 'absent':
      return absent(view, request, question, next)
    case 'aliases':
      return chase(view, request, question, found.hosts)
    case 'records': {
      const { answers, additional, isLasting } = found
      const memo = isLasting ? 'until-names-change' : 'never'
      return withRecords(view, request, question, { answers, additional }, memo)
    }
  }
}

/** Chases the aliases in the zone first; only when one leads out of it the server is asked, and then the
 *  answer is no longer a matter of the cluster alone. */
function chase(
  view: ZoneView,
  request: Request,
  question: ZoneQuestion,
  hosts: readonly Host[],
): Outcome {
  const targets = new Set<DnsName>()
  const inZone = chaseAliases(view, question, hosts, (target) => {
    targets.add(target)
    return undefined
  })
  if (targets.size === 0) return chased(view, request, question, inZone, 'until-names-change')
  return chaseOutside(request, question.type, targets).then((found) => {
    const all = chaseAliases(view, question, hosts, (target) => found.get(target))
    return chased(view, request, question, all, 'never')
  })
}

function chased(
  view: ZoneView,
  request: Request,
  question: ZoneQuestion,
  { answers, isTruncated }: Chased,
  memo: Answer['memo'],
): Answer {
  return withRecords(view, request, question, { answers, flags: { tc: isTruncated } }, memo)
}

/** What the whole server says about names outside of the zone. An alias stays even when that is an error; it
 *  goes only when there was no reply at all. */
async function chaseOutside(
  request: Request,
  type: number,
  targets: ReadonlySet<DnsName>,
): Promise<ReadonlyMap<DnsName, Chased>> {
  const found = new Map<DnsName, Chased>()
  for (const target of targets) {
    const reply = await request.lookup(target, type)
    if (reply.kind === 'failure') found.set(target, { answers: [], isTruncated: false })
    if (reply.kind !== 'answer') continue
    const { answers, flags } = reply.message
    found.set(target, { answers, isTruncated: flags.tc })
  }
  return found
}

/** Before everything was listed once, a name that is not there may only not have come yet. */
function absent(view: ZoneView, request: Request, question: ZoneQuestion, next: Next): Outcome {
  if (isInZones(view.settings.fallthrough, request.name)) return next(request)
  request.trace?.note('kubernetes', `no object has the name ${question.name}`)
  const isComplete = view.names.isComplete
  const rcode = isComplete ? rcodes.NXDOMAIN : rcodes.SERVFAIL
  const memo = isComplete ? 'until-names-change' : 'never'
  return authoritative(request, { rcode, authority: [soaOf(view, question)], memo })
}

/** An answer, or NODATA with the SOA when there is no record. */
function withRecords(
  view: ZoneView,
  request: Request,
  question: ZoneQuestion,
  parts: AnswerParts,
  memo: Answer['memo'],
): Answer {
  const count = parts.answers?.length ?? 0
  request.trace?.note('kubernetes', `${count} records for ${question.name} in ${question.zone}`)
  if (count > 0) return authoritative(request, { ...parts, memo })
  return authoritative(request, { authority: [soaOf(view, question)], memo })
}

function authoritative(request: Request, parts: AnswerParts): Answer {
  const flags = { ...parts.flags, aa: true }
  return answerTo(request.message, { ...parts, flags })
}

function soaOf(view: ZoneView, question: ZoneQuestion): ResourceRecord {
  return soaRecord(question.zone, view.names.serial, view.settings.ttlSeconds)
}

/** What the resolver of a pod would try: its namespace, the services, the zone, then what this machine
 *  searches. Only where pods are known by their addresses. */
function searchPath(
  view: ZoneView,
  request: Request,
  searchDomains: readonly DnsName[],
): readonly string[] | undefined {
  const { settings, names } = view
  const zone = longestZone(settings.zones, request.name)
  if (zone === undefined || settings.pods !== 'verified') return undefined
  const [pod] = names.podsAt(request.client.address)
  if (pod === undefined) return undefined
  const own = [`${pod.namespace}.svc`, 'svc'].map((owner) => nameInZone(owner, zone))
  return [...own, zone, ...searchDomains, '']
}
