import { answerClass, classify } from '../chain/classify.ts'
import type { Peer, Transport } from '../chain/request.ts'
import type { LogRule } from '../corefile/decode-log.ts'
import { type Message, maxMessageBytes } from '../wire/message.ts'
import { type DnsName, isInZone } from '../wire/name.ts'
import { formatClass, formatRcode, formatType } from '../wire/numbers.ts'

/** One query and what became of it. */
export interface LoggedQuery {
  readonly query: AskedQuery
  /** Lower case. */
  readonly name: DnsName
  /** Undefined: the client got nothing. */
  readonly answer: Message | undefined
  readonly queryBytes: number
  readonly answerBytes: number
  readonly durationMs: number
}

/** What the log needs of a query. */
export interface AskedQuery {
  readonly message: Message
  readonly client: Peer
  readonly local: Peer
  readonly transport: Transport
}

/** Writes the line of a query, if its answer is of a class that is logged. */
export type WriteQuery = (logged: LoggedQuery) => void

/** Finds the rule for a name, and gives what writes its line; undefined: the name is not logged. Names that
 *  are logged must not be answered from a memo, for the log would miss them. */
export function queryLog(
  rules: readonly LogRule[],
  write: (line: string) => void,
): (name: DnsName) => WriteQuery | undefined {
  const writers = rules.map((rule) => ({ zone: rule.zone, write: ruleWriter(rule, write) }))
  return (name) => writers.find(({ zone }) => isInZone(name, zone))?.write
}

/** A part of a format: text as it is, or a value of the query. */
type Part = string | ((logged: LoggedQuery) => string)

function ruleWriter({ format, classes }: LogRule, write: (line: string) => void): WriteQuery {
  const parts = parseFormat(format)
  return (logged) => {
    const kind = logged.answer === undefined ? 'other-error' : classify(logged.answer)
    if (!classes.has('all') && !classes.has(answerClass(kind))) return
    write(parts.map((part) => (typeof part === 'string' ? part : part(logged))).join(''))
  }
}

/** Placeholders that nobody knows stay as they are; those of metadata (`{/...}`) are empty. */
function parseFormat(format: string): readonly Part[] {
  return format.split(/(\{[^{}]*\})/).map((text): Part => {
    if (text.startsWith('{/')) return empty
    return Object.hasOwn(values, text) ? (values[text] ?? text) : text
  })
}

/** What stands where there is no value, as in CoreDNS. */
const empty = '-'

const values: Readonly<Record<string, (logged: LoggedQuery) => string>> = {
  '{type}': ({ query }) => formatType(query.message.questions[0]?.type ?? 0),
  '{name}': ({ name }) => name,
  '{class}': ({ query }) => formatClass(query.message.questions[0]?.class ?? 0),
  '{proto}': ({ query }) => (query.transport === 'udp' ? 'udp' : 'tcp'),
  '{size}': ({ queryBytes }) => String(queryBytes),
  '{remote}': ({ query }) => formatHost(query.client.address),
  '{port}': ({ query }) => String(query.client.port),
  '{local}': ({ query }) => formatHost(query.local.address),
  '{>id}': ({ query }) => String(query.message.id),
  '{>opcode}': ({ query }) => String(query.message.opcode),
  '{>do}': ({ query }) => String(query.message.edns?.isDnssecOk ?? false),
  '{>bufsize}': ({ query }) => String(bufferBytes(query)),
  '{rcode}': ({ answer }) => (answer === undefined ? empty : formatRcode(answer.rcode)),
  '{rsize}': ({ answerBytes }) => String(answerBytes),
  '{duration}': ({ durationMs }) => formatSeconds(durationMs),
  '{>rflags}': ({ answer }) => (answer === undefined ? empty : formatFlags(answer)),
}

function bufferBytes({ message, transport }: AskedQuery): number {
  return transport === 'udp' ? Math.max(512, message.edns?.udpSize ?? 0) : maxMessageBytes
}

function formatHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** Without exponent, as log parsers expect it. */
function formatSeconds(milliseconds: number): string {
  const digits = (milliseconds / 1000).toFixed(9).replace(/0+$/, '').replace(/\.$/, '')
  return `${digits}s`
}

const flagOrder = ['qr', 'aa', 'tc', 'rd', 'ra', 'z', 'ad', 'cd'] as const

function formatFlags({ flags }: Message): string {
  return flagOrder.filter((name) => flags[name]).join(',')
}
