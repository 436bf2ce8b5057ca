import { type Flags, type Message, noFlags, type ResourceRecord } from '../wire/message.ts'
import { rcodes } from '../wire/numbers.ts'

/** What the chain says to a query. */
export type Reply = Answer | Failure | Dropped

/** A message for the client. */
export interface Answer {
  readonly kind: 'answer'
  readonly message: Message
  readonly memo: Memo
  /** Another server said it, or this one did: only what others said is worth keeping in the cache. */
  readonly origin: 'upstream' | 'local'
  /** Its records are to be rotated (`loadbalance`): a memoized copy must not go out as it is. */
  readonly isRotated: boolean
  /** Why it tells of a failure, for the log. */
  readonly reason?: string
}

/** No message yet: the server makes one with this code, header, question and OPT record only. Plugins
 *  that change answers do not see it; `errors` logs the reason. */
export interface Failure {
  readonly kind: 'failure'
  readonly rcode: number
  /** For the log; undefined when it is no news (a name that hosts does not know). */
  readonly reason: string | undefined
}

/** The client gets no answer at all. */
export interface Dropped {
  readonly kind: 'dropped'
}

/** How long an answer may be given again to the same query (question, EDNS part, RD, AD and CD being
 *  equal) without asking the chain. It is the strictest word of all plugins on the way.
 *  `never`: it depends on who asks, on chance, or on state without an end.
 *  `until-names-change`: a function of the question and of the cluster's names only.
 *  A lease: from the cache, until it says no. */
export type Memo = 'never' | 'until-names-change' | Lease

/** The right to repeat a cached answer. All its records carry the same time to live. */
export interface Lease {
  /** Counts one use and returns the seconds that its records have left; undefined when the chain must
   *  be asked (expired, evicted, or due for a refresh). */
  renew(nowMs: number): number | undefined
}

/** The parts of a reply that differ from an empty NOERROR. */
export interface AnswerParts {
  readonly flags?: Partial<Flags>
  readonly rcode?: number
  readonly answers?: readonly ResourceRecord[]
  readonly authority?: readonly ResourceRecord[]
  readonly additional?: readonly ResourceRecord[]
  readonly edns?: Message['edns']
  readonly memo?: Memo
}

/** A reply to the query: its id, opcode, question, RD and CD, and nothing else that is not given. */
export function answerTo(query: Message, parts: AnswerParts): Answer {
  const message = replyMessage(query, parts)
  return { kind: 'answer', message, memo: parts.memo ?? 'never', origin: 'local', isRotated: false }
}

/** What another server said, for the client. */
export function answerOfUpstream(message: Message): Answer {
  return { kind: 'answer', message, memo: 'never', origin: 'upstream', isRotated: false }
}

/** The message that replies to a query. RD and CD come back for queries only, as in CoreDNS. */
export function replyMessage(query: Message, parts: AnswerParts): Message {
  const isQuery = query.opcode === 0
  const { rd, cd } = query.flags
  const flags = { ...noFlags, qr: true, rd: isQuery && rd, cd: isQuery && cd, ...parts.flags }
  return {
    id: query.id,
    flags,
    opcode: query.opcode,
    rcode: parts.rcode ?? rcodes.NOERROR,
    questions: query.questions.slice(0, 1),
    answers: parts.answers ?? [],
    authority: parts.authority ?? [],
    additional: parts.additional ?? [],
    edns: parts.edns,
  }
}

/** A failure; see `Failure`. */
export function failure(rcode: number, reason: string | undefined): Failure {
  return { kind: 'failure', rcode, reason }
}

/** The client gets nothing. */
export const dropped: Dropped = { kind: 'dropped' }

/** The same answer with another message. */
export function withReplyMessage(reply: Answer, message: Message): Answer {
  return { ...reply, message }
}

/** The reply with `memo: 'never'`. */
export function notMemoized(reply: Reply): Reply {
  return reply.kind !== 'answer' || reply.memo === 'never' ? reply : { ...reply, memo: 'never' }
}
