import { askAddress } from '../upstream/ask-address.ts'
import { secureRandom } from '../upstream/secure-random.ts'
import type { UpstreamProtocol } from '../upstream/upstream.ts'
import { type Message, noFlags } from '../wire/message.ts'
import type { DnsName } from '../wire/name.ts'
import { recordClasses } from '../wire/numbers.ts'
import { withReactor } from './with-reactor.ts'

/** What is asked. */
export interface Asked {
  readonly name: DnsName
  readonly type: number
}

/** Bytes of UDP answers that we take: the DNS flag day's. */
const udpSize = 1232

/** A query with recursion desired and EDNS. */
export function queryMessage({ name, type }: Asked): Message {
  return {
    id: Math.floor(secureRandom() * 65_536),
    flags: { ...noFlags, rd: true },
    opcode: 0,
    rcode: 0,
    questions: [{ name, type, class: recordClasses.IN }],
    answers: [],
    authority: [],
    additional: [],
    edns: { udpSize, version: 0, isDnssecOk: false, options: [] },
  }
}

/** Asks a running server. Rejects with an UpstreamError when it does not answer. */
export function askServer(
  server: { readonly address: string; readonly port: number },
  query: Message,
  protocol: UpstreamProtocol,
): Promise<Message> {
  return withReactor((reactor) => askAddress(server, query, protocol, reactor))
}
