import type { Message } from '../wire/message.ts'
import { nameKey } from '../wire/name.ts'

/** Queries under way by what they ask, so that many clients with one question cause one query. */
export class SharedQueries {
  readonly #running = new Map<string, Promise<Message>>()

  /** The reply to an equal query that is under way, or that of `send`. */
  exchange(query: Message, protocol: string, send: () => Promise<Message>): Promise<Message> {
    const key = `${protocol} ${keyOf(query)}`
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const started = send().finally(() => this.#running.delete(key))
    this.#running.set(key, started)
    return started
  }
}

/** All that the answer may depend on: name, type, class, flags, and the whole EDNS part. */
function keyOf({ questions, flags, opcode, edns }: Message): string {
  const [question] = questions
  const bits = `${opcode}${flags.rd ? 'r' : ''}${flags.ad ? 'a' : ''}${flags.cd ? 'c' : ''}`
  const name = nameKey(question?.name ?? '.')
  const asked = `${bits} ${question?.type} ${question?.class} ${name}`
  if (edns === undefined) return asked
  const options = edns.options.map(
    ({ code, data }) => `${code}:${Buffer.from(data).toString('hex')}`,
  )
  return `${asked} ${edns.udpSize} ${edns.isDnssecOk ? 'do' : ''} ${options.join(' ')}`
}
