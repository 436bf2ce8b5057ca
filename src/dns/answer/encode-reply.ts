import { type Reply, replyMessage } from '../chain/reply.ts'
import type { Transport } from '../chain/request.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import type { Edns, Message } from '../wire/message.ts'
import { ednsOptions, rcodes } from '../wire/numbers.ts'
import { WireError } from '../wire/wire-error.ts'

/** RFC 1035 section 4.2.1 and RFC 6891 section 6.2.3: what every client takes over UDP. */
const minUdpBytes = 512

/** RFC 1035 section 4.2.2: what the length before a message over a stream can say. */
const maxStreamBytes = 65_535

/** Options of the query that come back when no plugin made an OPT record, as in CoreDNS. */
const echoedOptions: ReadonlySet<number> = new Set([
  ednsOptions.NSID,
  ednsOptions.EXPIRE,
  ednsOptions.COOKIE,
  ednsOptions.KEEPALIVE,
  ednsOptions.PADDING,
])

/** The bytes of a reply, with the OPT record that the query's asks for, and not longer than the client
 *  takes; undefined: the client gets nothing. A message that cannot be encoded becomes SERVFAIL. */
export function encodeReply(
  query: Message,
  reply: Reply,
  envelope: { readonly edns: Edns | undefined },
  transport: Transport,
): Uint8Array | undefined {
  if (reply.kind === 'dropped') return undefined
  const message =
    reply.kind === 'answer' ? reply.message : replyMessage(query, { rcode: reply.rcode })
  const maxBytes =
    transport === 'udp' ? Math.max(minUdpBytes, envelope.edns?.udpSize ?? 0) : maxStreamBytes
  const edns = replyEdns(message.edns, envelope.edns)
  try {
    return encodeMessage({ ...message, edns }, maxBytes)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const failed = replyMessage(query, { rcode: rcodes.SERVFAIL })
    return encodeMessage({ ...failed, edns: replyEdns(undefined, envelope.edns) }, maxBytes)
  }
}

/** A client without EDNS gets only what a plugin insists on. */
function replyEdns(ours: Edns | undefined, theirs: Edns | undefined): Edns | undefined {
  if (theirs === undefined) return ours
  return {
    udpSize: theirs.udpSize,
    version: 0,
    isDnssecOk: theirs.isDnssecOk || ours?.isDnssecOk === true,
    options: ours?.options ?? theirs.options.filter(({ code }) => echoedOptions.has(code)),
  }
}
