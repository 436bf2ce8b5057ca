import type { Next, Outcome } from '../chain/plugin.ts'
import { answerTo, failure } from '../chain/reply.ts'
import type { Peer, Request, Trace, Transport } from '../chain/request.ts'
import type { Edns, Message, Question } from '../wire/message.ts'
import { type DnsName, nameKey, parentName } from '../wire/name.ts'
import { rcodes, recordClasses, recordTypes } from '../wire/numbers.ts'
import { type Chain, composeChain } from './chain.ts'

/** Who asks, and where. */
export interface Asker {
  readonly client: Peer
  /** The address that the query was sent to. */
  readonly local: Peer
  readonly transport: Transport
  readonly trace: Trace | undefined
}

/** What a message got, and the EDNS part that the reply follows. */
export interface Served {
  readonly outcome: Outcome
  readonly envelope: { readonly edns: Edns | undefined }
}

/** Answers messages of one listener: finds the server block by the longest zone that the name lies in. */
export class MessageServer {
  readonly #server: string
  readonly #chains = new Map<DnsName, Next>()
  readonly #answersChaos: boolean

  /** `server` names the listener, `dns://:53`. Of two chains with one zone the first is asked. */
  constructor(server: string, chains: readonly Chain[]) {
    this.#server = server
    for (const { zones, plugins } of chains) {
      const serve = composeChain(plugins)
      for (const zone of zones) if (!this.#chains.has(zone)) this.#chains.set(zone, serve)
    }
    // As in CoreDNS: other classes than IN are for those that pass them on.
    this.#answersChaos = chains.some(({ plugins }) =>
      plugins.some(({ name }) => name === 'forward'),
    )
  }

  /** The message must have a question. */
  serve(message: Message, question: Question, asker: Asker): Served {
    const { edns } = message
    const envelope = { edns }
    if (question.class !== recordClasses.IN && !this.#answersChaos) {
      return { outcome: failure(rcodes.REFUSED, undefined), envelope }
    }
    if (edns !== undefined && edns.version !== 0) {
      const own = { udpSize: 0, version: 0, isDnssecOk: false, options: [] }
      const outcome = answerTo(message, { rcode: rcodes.BADVERS, edns: own })
      return { outcome, envelope: { edns: undefined } }
    }
    const name = nameKey(question.name)
    const found = this.#find(name, question.type)
    if (found === undefined) return { outcome: failure(rcodes.REFUSED, undefined), envelope }
    const request: Request = {
      message,
      question,
      name,
      client: asker.client,
      local: asker.local,
      transport: asker.transport,
      zone: found.zone,
      server: this.#server,
      envelope,
      lookup: (target, type) => this.#lookUp(message, asker, { ...question, name: target, type }),
      trace: asker.trace,
    }
    return { outcome: found.serve(request), envelope }
  }

  /** The same query about another name, with an envelope of its own. */
  #lookUp(message: Message, asker: Asker, question: Question): Outcome {
    return this.serve({ ...message, questions: [question] }, question, asker).outcome
  }

  /** DS records stand in the parent zone: a block for it is preferred, when there is one. */
  #find(name: DnsName, type: number): { zone: DnsName; serve: Next } | undefined {
    let found: { zone: DnsName; serve: Next } | undefined
    for (let zone = name; ; zone = parentName(zone)) {
      const serve = this.#chains.get(zone)
      if (serve !== undefined) {
        found = { zone, serve }
        if (type !== recordTypes.DS) return found
      }
      if (zone === '.') return found
    }
  }
}
