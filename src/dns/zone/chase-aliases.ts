import type { Request } from '../chain/request.ts'
import type { ResourceRecord } from '../wire/message.ts'
import { isInZone, nameKey } from '../wire/name.ts'
import { addressesOf, answerQuestion, type ZoneQuestion, type ZoneView } from './answer-question.ts'
import type { Host } from './host.ts'
import { type AliasRecord, aliasRecord } from './zone-records.ts'

/** Aliases that may lead to each other in one zone before the chase ends, as in CoreDNS. */
const maxAliases = 10

/** What a chase found. */
export interface Chased {
  readonly answers: readonly ResourceRecord[]
  /** An answer on the way was truncated. */
  readonly isTruncated: boolean
}

/** The address records of hosts of which some are names: each name gives its CNAME and what it leads to. In
 *  the zone an alias that leads to nothing is left out; outside of it the server itself is asked, and
 *  the alias stays whatever comes back. */
export async function chaseAliases(
  view: ZoneView,
  request: Request,
  question: ZoneQuestion,
  hosts: readonly Host[],
  before: readonly AliasRecord[] = [],
): Promise<Chased> {
  const answers: ResourceRecord[] = []
  let isTruncated = false
  for (const host of hosts) {
    const alias = aliasRecord(question.name, host, view.settings.ttlSeconds)
    if (host.kind !== 'CNAME' || alias === undefined) continue
    if (before.length > maxAliases || isCircle(question, alias, before)) continue
    const found = isInZone(alias.data.target, question.zone)
      ? await chaseInZone(view, request, question, [...before, alias])
      : await chaseOutside(request, question, alias)
    isTruncated ||= found.isTruncated
    answers.push(...found.answers)
  }
  return { answers: [...addressesOf(view, question, hosts), ...answers], isTruncated }
}

/** An alias to the name itself or below it, or to a target that was met before. */
function isCircle(
  question: ZoneQuestion,
  alias: AliasRecord,
  before: readonly AliasRecord[],
): boolean {
  const { target } = alias.data
  return isInZone(target, question.key) || before.some((earlier) => earlier.data.target === target)
}

async function chaseInZone(
  view: ZoneView,
  request: Request,
  question: ZoneQuestion,
  before: readonly AliasRecord[],
): Promise<Chased> {
  const alias = before.at(-1)
  const nothing: Chased = { answers: [], isTruncated: false }
  if (alias === undefined) return nothing
  const { target } = alias.data
  const next: ZoneQuestion = { ...question, name: target, key: nameKey(target) }
  const found = answerQuestion(view, next)
  if (found.kind === 'records' && found.answers.length > 0) {
    return { answers: [alias, ...found.answers], isTruncated: false }
  }
  if (found.kind !== 'aliases') return nothing
  const chased = await chaseAliases(view, request, next, found.hosts, before)
  return chased.answers.length === 0
    ? { ...nothing, isTruncated: chased.isTruncated }
    : { ...chased, answers: [alias, ...chased.answers] }
}

async function chaseOutside(
  request: Request,
  question: ZoneQuestion,
  alias: AliasRecord,
): Promise<Chased> {
  const reply = await request.lookup(alias.data.target, question.type)
  if (reply.kind === 'dropped') return { answers: [], isTruncated: false }
  if (reply.kind === 'failure') return { answers: [alias], isTruncated: false }
  const { answers, flags } = reply.message
  return { answers: [alias, ...answers], isTruncated: flags.tc }
}
