import type { Message, ResourceRecord } from '../wire/message.ts'
import { type DnsName, isInZone, nameKey } from '../wire/name.ts'
import { recordTypes } from '../wire/numbers.ts'

/** The reply without records that its question cannot lead to: in the answer section those whose owner is
 *  not the name asked for or reached from it by aliases; in the authority section those of zones that
 *  none of these names lies in. What a stray record says about another name is not believed. */
export function stripStrays(reply: Message): Message {
  const question = reply.questions[0]
  if (question === undefined) return reply
  // Most replies, and they need no sets.
  const isPlain = reply.answers.every(({ name }) => name === question.name)
  if (isPlain && reply.authority.length === 0) return reply
  const names = reachedNames(question.name, reply.answers)
  const answers = kept(reply.answers, (owner) => names.has(owner))
  const authority = kept(reply.authority, (owner, type) =>
    [...names].some((name) => isInZone(name, owner) || isDenial(type)),
  )
  if (answers === reply.answers && authority === reply.authority) return reply
  return { ...reply, answers, authority }
}

/** Proofs of absence are owned by neighbours of the name (RFC 4034, RFC 5155), and so are their
 *  signatures. */
function isDenial(type: number): boolean {
  return type === recordTypes.NSEC || type === recordTypes.NSEC3 || type === recordTypes.RRSIG
}

/** The name, its aliases, and owners of DNAME records that made them; in lower case. */
function reachedNames(name: DnsName, answers: readonly ResourceRecord[]): ReadonlySet<DnsName> {
  const names = new Set([nameKey(name)])
  // A chain may be in any order, so that it is walked as often as it may grow.
  for (let round = 0; round < answers.length; round++) {
    const before = names.size
    for (const record of answers) {
      const owner = nameKey(record.name)
      const isReached = names.has(owner)
      if (record.data.kind === 'CNAME' && isReached) names.add(nameKey(record.data.target))
      const isAbove = record.data.kind === 'DNAME' && [...names].some((at) => isInZone(at, owner))
      if (isAbove) names.add(owner)
    }
    if (names.size === before) break
  }
  return names
}

function kept(
  records: readonly ResourceRecord[],
  isKept: (owner: DnsName, type: number) => boolean,
): readonly ResourceRecord[] {
  const left = records.filter((record) => isKept(nameKey(record.name), record.type))
  return left.length === records.length ? records : left
}
