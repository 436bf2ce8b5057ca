import type { ResourceRecord } from '../wire/message.ts'
import { type DnsName, isInZone, nameKey } from '../wire/name.ts'
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

/** What lies behind a name outside of the zone; undefined: nothing that could be answered. */
export type AskOutside = (target: DnsName) => Chased | undefined

/** The address records of hosts of which some are names: each name gives its CNAME and what it leads to. In
 *  the zone an alias that leads to nothing is left out; outside of it `askOutside` decides. */
export function chaseAliases(
  view: ZoneView,
  question: ZoneQuestion,
  hosts: readonly Host[],
  askOutside: AskOutside,
  before: readonly AliasRecord[] = [],
): Chased {
  const answers: ResourceRecord[] = []
  let isTruncated = false
  for (const host of hosts) {
    if (host.kind !== 'CNAME') continue
    const alias = aliasRecord(question.name, host, view.settings.ttlSeconds)
    if (alias === undefined || isEnd(question, alias, before)) continue
    const { target } = alias.data
    const found = isInZone(target, question.zone)
      ? chaseInZone(view, { ...question, name: target, key: nameKey(target) }, askOutside, [
          ...before,
          alias,
        ])
      : askOutside(target)
    if (found === undefined) continue
    isTruncated ||= found.isTruncated
    answers.push(alias, ...found.answers)
  }
  return { answers: [...addressesOf(view, question, hosts), ...answers], isTruncated }
}

/** An alias to the name itself or below it, one to a target that was met before, or one too many. */
function isEnd(
  question: ZoneQuestion,
  { data: { target } }: AliasRecord,
  before: readonly AliasRecord[],
): boolean {
  return (
    before.length > maxAliases ||
    isInZone(target, question.key) ||
    before.some((earlier) => earlier.data.target === target)
  )
}

function chaseInZone(
  view: ZoneView,
  question: ZoneQuestion,
  askOutside: AskOutside,
  before: readonly AliasRecord[],
): Chased | undefined {
  const found = answerQuestion(view, question)
  if (found.kind === 'records' && found.answers.length > 0) {
    return { answers: found.answers, isTruncated: false }
  }
  if (found.kind !== 'aliases') return undefined
  const chased = chaseAliases(view, question, found.hosts, askOutside, before)
  return chased.answers.length === 0 ? undefined : chased
}
