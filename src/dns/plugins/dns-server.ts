import type { Outcome } from '../chain/plugin.ts'
import { whenReplied } from '../chain/plugin.ts'
import { type Answer, answerTo, failure, type Reply } from '../chain/reply.ts'
import type { Envelope, Peer, Trace, Transport } from '../chain/request.ts'
import type { Edns, Message, Question } from '../wire/message.ts'
import { type DnsName, nameKey, parentName } from '../wire/name.ts'
import { ednsOptions, rcodes, recordClasses, recordTypes } from '../wire/numbers.ts'
import type { Chain } from './build-chain.ts'

/** A zone of a listener and the chain that answers for it. */
export interface ServedZone {
  /** In lower case. */
  readonly zone: DnsName
  readonly chain: Chain
  /** The block forwards: classes other than IN may be asked for, on the whole listener. */
  readonly forwards: boolean
  /** Codes of EDNS options that go back to the client beside the usual ones. */
  readonly ednsCodes: readonly number[]
}

/** A query as it came in. */
export interface Query {
  readonly message: Message
  readonly client: Peer
  readonly local: Peer
  readonly transport: Transport
  readonly trace?: Trace
}

/** A message that goes out, and how it may be kept. */
export interface Response {
  readonly message: Message
  /** Bytes that it may have; what does not fit is left out by the encoder. */
  readonly maxBytes: number
  readonly memo: Answer['memo']
  readonly isRotated: boolean
}

/** What a listener says to a query; undefined: nothing. */
export type Respond = (query: Query) => Response | undefined | Promise<Response | undefined>

/** Aliases that lead from zone to zone end here. */
const maxLookups = 8

/** Chooses the chain by the longest zone of the name, and makes the chain's reply a message for the client:
 *  failures get a header, EDNS is echoed, the size is limited. */
export function dnsServer(label: string, zones: readonly ServedZone[]): Respond {
  const chains = new Map(zones.map((served) => [served.zone, served]))
  const hasForward = zones.some((served) => served.forwards)
  const echoed = new Set<number>([...usualOptions, ...zones.flatMap((served) => served.ednsCodes)])

  function ask(query: Query, envelope: Envelope, depth: number): Outcome {
    const { message } = query
    const question = message.questions[0]
    if (question === undefined) return failure(rcodes.SERVFAIL, undefined)
    if (!hasForward && question.class !== recordClasses.IN) {
      return failure(rcodes.REFUSED, undefined)
    }
    const name = nameKey(question.name)
    const served = findZone(chains, name, question.type)
    if (served === undefined || served.chain.isEmpty) return failure(rcodes.REFUSED, undefined)
    return served.chain.ask({
      message,
      question,
      name,
      client: query.client,
      local: query.local,
      transport: query.transport,
      zone: served.zone,
      server: label,
      envelope,
      trace: query.trace,
      lookup: (target, type) =>
        lookup(query, { name: target, type, class: question.class }, depth + 1),
    })
  }

  /** Asks again on behalf of a plugin; a failure becomes the message that a client would get. */
  function lookup(query: Query, question: Question, depth: number): Outcome {
    if (depth > maxLookups) return failure(rcodes.SERVFAIL, 'aliases lead in a circle')
    const message = { ...query.message, questions: [{ ...question, class: recordClasses.IN }] }
    const envelope = { edns: message.edns }
    return whenReplied(ask({ ...query, message }, envelope, depth), (reply) =>
      reply.kind === 'failure' ? answerTo(message, { rcode: reply.rcode }) : reply,
    )
  }

  function finish(query: Query, envelope: Envelope, reply: Reply): Response | undefined {
    if (reply.kind === 'dropped') return undefined
    const made = reply.kind === 'answer' ? reply : answerTo(query.message, { rcode: reply.rcode })
    const edns = replyEdns(made.message.edns, envelope.edns, echoed)
    const message = made.message.edns === edns ? made.message : { ...made.message, edns }
    const { memo, isRotated } = made
    return { message, maxBytes: maxBytesOf(query.transport, envelope.edns), memo, isRotated }
  }

  return (query) => {
    const envelope = { edns: query.message.edns }
    if (query.message.edns !== undefined && query.message.edns.version !== 0) {
      return badVersion(query)
    }
    const outcome = ask(query, envelope, 0)
    return outcome instanceof Promise
      ? outcome.then((reply) => finish(query, envelope, reply))
      : finish(query, envelope, outcome)
  }
}

/** Options that are about this hop and come back as they were sent, as in CoreDNS. */
const usualOptions = [
  ednsOptions.NSID,
  ednsOptions.EXPIRE,
  ednsOptions.COOKIE,
  ednsOptions.KEEPALIVE,
  ednsOptions.PADDING,
]

/** RFC 1035 section 4.2.1 and the largest message of all. */
const minUdpBytes = 512
const maxBytes = 65_535

function maxBytesOf(transport: Transport, edns: Edns | undefined): number {
  return transport === 'udp' ? Math.max(minUdpBytes, edns?.udpSize ?? 0) : maxBytes
}

/** DS records live in the parent zone (RFC 4035 section 3.1.4.1): the shortest served zone is asked. */
function findZone(
  zones: ReadonlyMap<DnsName, ServedZone>,
  name: DnsName,
  type: number,
): ServedZone | undefined {
  let parent: ServedZone | undefined
  for (let zone = name; zone !== '.'; zone = parentName(zone)) {
    const served = zones.get(zone)
    if (served === undefined) continue
    if (type !== recordTypes.DS) return served
    parent = served
  }
  return parent ?? zones.get('.')
}

/** The OPT record of a reply: the client's size; DO when one of both has it; the reply's options, or those
 *  of the client that are to be echoed. Without EDNS in the query the reply's own, if any. */
function replyEdns(
  own: Edns | undefined,
  asked: Edns | undefined,
  echoed: ReadonlySet<number>,
): Edns | undefined {
  if (asked === undefined) return own
  const isDnssecOk = asked.isDnssecOk || own?.isDnssecOk === true
  const options = own?.options ?? asked.options.filter(({ code }) => echoed.has(code))
  return { udpSize: asked.udpSize, version: 0, isDnssecOk, options }
}

/** RFC 6891 section 6.1.3. */
function badVersion({ message, transport }: Query): Response {
  const edns = { udpSize: 0, version: 0, isDnssecOk: false, options: [] }
  const reply = answerTo(message, { rcode: rcodes.BADVERS, edns })
  const limit = maxBytesOf(transport, message.edns)
  return { message: reply.message, maxBytes: limit, memo: 'never', isRotated: false }
}
