import type { Outcome } from '../chain/plugin.ts'
import { whenReplied } from '../chain/plugin.ts'
import { type Answer, answerTo, failure, type Reply } from '../chain/reply.ts'
import type { Envelope, Peer, Trace, Transport } from '../chain/request.ts'
import { type Edns, type Message, maxMessageBytes, type Question } from '../wire/message.ts'
import { type DnsName, nameKey, parentName } from '../wire/name.ts'
import { ednsOptions, rcodes, recordClasses, recordTypes } from '../wire/numbers.ts'
import type { Chain } from './build-chain.ts'
import type { WriteQuery } from './query-log.ts'

/** A zone of a listener and the chain that answers for it. */
export interface ServedZone {
  /** In lower case. */
  readonly zone: DnsName
  readonly chain: Chain
  /** The block forwards: classes other than IN may be asked for, on the whole listener. */
  readonly forwards: boolean
  /** Codes of EDNS options that go back to the client beside the usual ones. */
  readonly ednsCodes: readonly number[]
  /** Finds what logs queries for a name; undefined: the name is not logged. */
  readonly logOf: (name: DnsName) => WriteQuery | undefined
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
  /** The zone of the block that answered; undefined: none did. */
  readonly zone: DnsName | undefined
  /** To be called when the answer is encoded, for the query log; undefined: it is not logged. */
  readonly onEncoded: ((sizes: EncodedSizes) => void) | undefined
}

/** Bytes on the wire. */
export interface EncodedSizes {
  readonly query: number
  readonly answer: number
}

/** What a listener says to a query; undefined: nothing. */
export type Respond = (query: Query) => Response | undefined | Promise<Response | undefined>

/** Aliases that lead from zone to zone end here. */
const maxLookups = 8

/** Chooses the chain by the longest zone of the name, and makes the chain's reply a message for the client:
 *  failures get a header, EDNS is echoed, the size is limited. */
export function dnsServer(
  label: string,
  zones: readonly ServedZone[],
  nowMs: () => number,
): Respond {
  const server: Server = {
    label,
    zones: new Map(zones.map((zone) => [zone.zone, zone])),
    hasForward: zones.some((zone) => zone.forwards),
    echoed: new Set<number>([...usualOptions, ...zones.flatMap((zone) => zone.ednsCodes)]),
    nowMs,
  }
  return (query) => {
    const { edns } = query.message
    if (edns !== undefined && edns.version !== 0) return badVersion(query)
    const found = find(server, query.message)
    const asked = { query, found, envelope: { edns }, startMs: nowMs() }
    const outcome = ask(server, query, found, asked.envelope, 0)
    return outcome instanceof Promise
      ? outcome.then((reply) => finish(server, asked, reply))
      : finish(server, asked, outcome)
  }
}

/** What is the same for all queries of a listener. */
interface Server {
  readonly label: string
  readonly zones: ReadonlyMap<DnsName, ServedZone>
  readonly hasForward: boolean
  /** Codes of EDNS options that go back to the client. */
  readonly echoed: ReadonlySet<number>
  readonly nowMs: () => number
}

/** The question of a message, and who answers it. */
interface Found {
  readonly question: Question | undefined
  /** Lower case. */
  readonly name: DnsName
  readonly zone: ServedZone | undefined
}

/** A query under way. */
interface Asked {
  readonly query: Query
  readonly found: Found
  readonly envelope: Envelope
  readonly startMs: number
}

function find(server: Server, message: Message): Found {
  const question = message.questions[0]
  const name = nameKey(question?.name ?? '.')
  return { question, name, zone: findZone(server.zones, name, question?.type ?? 0) }
}

function ask(
  server: Server,
  query: Query,
  { question, name, zone }: Found,
  envelope: Envelope,
  depth: number,
): Outcome {
  const { message, client, local, transport, trace } = query
  if (question === undefined) return failure(rcodes.SERVFAIL, undefined)
  if (!server.hasForward && question.class !== recordClasses.IN) {
    return failure(rcodes.REFUSED, undefined)
  }
  if (zone === undefined || zone.chain.isEmpty) return failure(rcodes.REFUSED, undefined)
  return zone.chain.ask({
    message,
    question,
    name,
    client,
    local,
    transport,
    zone: zone.zone,
    server: server.label,
    envelope,
    trace,
    lookup: (target, type) => lookUp(server, query, target, type, depth + 1),
  })
}

/** Asks again on behalf of a plugin; a failure becomes the message that a client would get. */
function lookUp(server: Server, query: Query, name: DnsName, type: number, depth: number): Outcome {
  if (depth > maxLookups) return failure(rcodes.SERVFAIL, 'aliases lead in a circle')
  const message = { ...query.message, questions: [{ name, type, class: recordClasses.IN }] }
  const again = { ...query, message }
  const outcome = ask(server, again, find(server, message), { edns: message.edns }, depth)
  return whenReplied(outcome, (reply) =>
    reply.kind === 'failure' ? answerTo(message, { rcode: reply.rcode }) : reply,
  )
}

/** The reply as a message that fits the client, and what logs it. */
function finish(server: Server, asked: Asked, reply: Reply): Response | undefined {
  const { query, found, envelope, startMs } = asked
  const write = found.zone?.logOf(found.name)
  const log = (answer: Message | undefined, sizes: EncodedSizes): void =>
    write?.({
      query,
      name: found.name,
      answer,
      queryBytes: sizes.query,
      answerBytes: sizes.answer,
      durationMs: server.nowMs() - startMs,
    })
  if (reply.kind === 'dropped') {
    log(undefined, { query: 0, answer: 0 })
    return undefined
  }
  const made = reply.kind === 'answer' ? reply : answerTo(query.message, { rcode: reply.rcode })
  const edns = replyEdns(made.message.edns, envelope.edns, server.echoed)
  const message = made.message.edns === edns ? made.message : { ...made.message, edns }
  return {
    message,
    maxBytes: maxBytesOf(query.transport, envelope.edns),
    memo: write === undefined ? made.memo : 'never',
    isRotated: made.isRotated,
    zone: found.zone?.zone,
    onEncoded: write && ((sizes) => log(message, sizes)),
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

/** RFC 1035 section 4.2.1. */
const minUdpBytes = 512

function maxBytesOf(transport: Transport, edns: Edns | undefined): number {
  return transport === 'udp' ? Math.max(minUdpBytes, edns?.udpSize ?? 0) : maxMessageBytes
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
  return {
    message: reply.message,
    maxBytes: limit,
    memo: 'never',
    isRotated: false,
    zone: undefined,
    onEncoded: undefined,
  }
}
