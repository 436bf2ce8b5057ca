import type { Edns, Message, Question } from '../wire/message.ts'
import { type DnsName, nameKey } from '../wire/name.ts'
import type { Reply } from './reply.ts'

/** One query on its way through the chain. */
export interface Request {
  /** As the client sent it, or as a plugin before changed it. Has at least one question. */
  readonly message: Message
  /** The first question of `message`. */
  readonly question: Question
  /** Its name in lower case. */
  readonly name: DnsName
  readonly client: Peer
  /** The address that the query was sent to. */
  readonly local: Peer
  readonly transport: Transport
  /** The zone of the server block that answers. */
  readonly zone: DnsName
  /** The listener as in CoreDNS' metrics: `dns://:53`. */
  readonly server: string
  /** What the end of the chain needs to know of changes on the way; shared by requests that a plugin
   *  derives from this one, unless it detaches them. */
  readonly envelope: Envelope
  /** Asks the whole server again with another question and the same client, for chases of CNAMEs. */
  readonly lookup: (name: DnsName, type: number) => Reply | Promise<Reply>
  /** Collects who decided what, for `portolan dns explain`; undefined when nobody asks. */
  readonly trace: Trace | undefined
}

/** One end of the conversation. */
export interface Peer {
  /** Canonical text. */
  readonly address: string
  readonly port: number
}

/** How the query came in. Answers over `udp` are limited in size, all others by 65,535 bytes. */
export type Transport = 'udp' | 'tcp' | 'tls' | 'https'

/** The EDNS part that the reply's size and OPT record follow: the client's, as plugins changed it
 *  (`bufsize`, `rewrite edns0`). */
export interface Envelope {
  edns: Edns | undefined
}

/** Notes of plugins about their decisions, in order. */
export interface Trace {
  note(plugin: string, text: string): void
}

/** The request with another message; the envelope stays shared. */
export function withMessage(request: Request, message: Message): Request {
  const question = message.questions[0] ?? request.question
  const name = question.name === request.question.name ? request.name : nameKey(question.name)
  return { ...request, message, question, name }
}

/** The request with another first question. */
export function withQuestion(request: Request, question: Question): Request {
  const { message } = request
  return withMessage(request, { ...message, questions: [question, ...message.questions.slice(1)] })
}

/** The request with an envelope of its own: what later plugins change in it is not seen outside. */
export function detached(request: Request): Request {
  return { ...request, envelope: { edns: request.envelope.edns } }
}

/** Whether the client set the DO bit, after changes by plugins before. */
export function isDnssecOk(request: Request): boolean {
  return request.message.edns?.isDnssecOk ?? false
}
