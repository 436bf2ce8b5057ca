import type { Message } from '../wire/message.ts'
import { nameKey } from '../wire/name.ts'
import { withCaseOf } from './query-case.ts'
import { stripStrays } from './strip-strays.ts'
import type { UpstreamProtocol } from './upstream.ts'

/** Sends a query; see `Upstream.exchange`. */
type Send = (query: Message, protocol: UpstreamProtocol) => Promise<Message>

/** Queries under way by what they ask, so that many clients with one question cause one query. */
export class SharedQueries {
  readonly #send: Send
  readonly #running = new Map<string, Promise<Message>>()

  constructor(send: Send) {
    this.#send = send
  }

  /** The reply to an equal query that is under way, or to this one; without strays, with the letters and the id
   *  of the query. */
  exchange(query: Message, protocol: UpstreamProtocol): Promise<Message> {
    const key = keyOf(query, protocol)
    const running = this.#running.get(key)
    if (running !== undefined) return running.then((reply) => replyTo(query, reply))
    const started = this.#send(query, protocol).then(
      (reply) => {
        this.#running.delete(key)
        return replyTo(query, stripStrays(reply))
      },
      (error: unknown) => {
        this.#running.delete(key)
        throw error
      },
    )
    this.#running.set(key, started)
    return started
  }
}

function replyTo(query: Message, reply: Message): Message {
  return { ...withCaseOf(reply, query), id: query.id }
}

/** All that the answer may depend on: name, type, class, flags, and the whole EDNS part. */
function keyOf(query: Message, protocol: UpstreamProtocol): string {
  const { questions, flags, opcode, edns } = query
  const [question] = questions
  const bits =
    (opcode << 4) |
    (flags.rd ? 8 : 0) |
    (flags.ad ? 4 : 0) |
    (flags.cd ? 2 : 0) |
    (protocol === 'tcp' ? 1 : 0)
  const name = nameKey(question?.name ?? '.')
  const asked = `${name} ${question?.type} ${question?.class} ${bits}`
  if (edns === undefined) return asked
  const options = edns.options.map(
    ({ code, data }) => `${code}:${Buffer.from(data).toString('hex')}`,
  )
  return `${asked} ${edns.udpSize} ${edns.isDnssecOk ? 'do' : ''} ${options.join(' ')}`
}
