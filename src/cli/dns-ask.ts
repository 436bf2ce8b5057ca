import { readFileSync } from 'node:fs'
import { askCorefile, type Explained } from '../dns/server/ask-corefile.ts'
import { askServer, queryMessage } from '../dns/server/ask-server.ts'
import { formatRecord } from '../dns/wire/format-record.ts'
import type { Message } from '../dns/wire/message.ts'
import { parseName } from '../dns/wire/name.ts'
import { formatClass, formatRcode, formatType, parseType } from '../dns/wire/numbers.ts'
import { parseAddress } from '../net/address.ts'
import { createLogger } from '../observe/logger.ts'
import { readLocalAddresses } from '../proxy/local-addresses.ts'
import { failure, usageError } from './cli-error.ts'
import { lazySource, openCluster } from './dns-cluster.ts'
import { readCorefile, readPort } from './dns-corefile.ts'
import { printValue } from './output-option.ts'
import type { CliIo, CommandInput, ExitCode } from './subcommand.ts'

/** What `portolan dns` does instead of serving. */
export const dnsActions = ['query', 'explain'] as const

/** `portolan dns query` and `portolan dns explain`. Exit status 0 for every answer, whatever it says. */
export async function askDns(
  input: CommandInput,
  io: CliIo,
  signal: AbortSignal,
): Promise<ExitCode> {
  const [action, ...question] = input.arguments
  const query = queryMessage(readQuestion(question))
  if (action === 'explain') {
    const explained = await askOnce(input, io, query, signal)
    printValue(input, io, explained, ({ notes, response }) =>
      formatExplained(query, notes, response?.message),
    )
    return 0
  }
  const { conf, manifests, kubeconfig } = input.texts
  const isAdHoc = (conf ?? manifests ?? kubeconfig) !== undefined
  const started = performance.now()
  const protocol = input.texts.tcp === 'true' ? 'tcp' : 'udp'
  const server = isAdHoc ? undefined : readServer(input.texts.server)
  const answer =
    server === undefined
      ? (await askOnce(input, io, query, signal)).response?.message
      : await askServer(server, query, protocol)
  if (answer === undefined) throw failure('no answer: a rule of the Corefile drops the query')
  const from = server === undefined ? 'a server of its own' : `${server.address}#${server.port}`
  const tookMs = Math.round(performance.now() - started)
  printValue(input, io, answer, () => `${formatMessage(answer)};; ${tookMs} ms from ${from}\n`)
  return 0
}

function readQuestion([text, typeText = 'A']: readonly string[]): { name: string; type: number } {
  const name = text === undefined ? undefined : parseName(text)
  if (name === undefined) {
    throw usageError(`dns: got ${JSON.stringify(text ?? '')}, expected a domain name`)
  }
  const type = parseType(typeText)
  if (type !== undefined) return { name, type }
  throw usageError(`dns: got ${JSON.stringify(typeText)}, expected a record type like A or SRV`)
}

/** Opens the Corefile's server for one question. */
async function askOnce(
  { texts }: CommandInput,
  io: CliIo,
  message: Message,
  signal: AbortSignal,
): Promise<Explained> {
  const corefile = readCorefile(texts.conf, readPort(texts['dns.port']), io)
  const client = parseAddress(texts.from ?? '127.0.0.1')?.text
  if (client === undefined) throw usageError(`--from: got "${texts.from}", expected an address`)
  const logger = createLogger({ format: 'text', level: 'warn' }, io.error)
  const closing = new AbortController()
  const living = AbortSignal.any([signal, closing.signal])
  const source = lazySource(() => openCluster(corefile, texts, io, logger, living))
  const transport = texts.tcp === 'true' ? 'tcp' : 'udp'
  try {
    return await askCorefile(
      corefile,
      {
        source,
        logger,
        localAddresses: readLocalAddresses,
        randomizesCase: texts['randomize-case'] === 'true',
      },
      { message, client, transport },
    )
  } finally {
    closing.abort()
  }
}

/** `10.0.0.1`, `10.0.0.1:5353`, `::1` or `[::1]:5353`; without it the first server of resolv.conf. */
function readServer(text: string | undefined): { address: string; port: number } {
  const written = text ?? firstNameServer()
  const [, bracketed, plain, port = '53'] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(written) ?? []
  const address = parseAddress(bracketed ?? plain ?? written)?.text
  if (address === undefined) {
    throw usageError(`--server: got "${written}", expected ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT`)
  }
  return { address, port: readPort(port) }
}

function firstNameServer(): string {
  const text = readFileSync('/etc/resolv.conf', 'utf8')
  const found = /^\s*nameserver\s+(\S+)/m.exec(text)?.[1]
  if (found === undefined) throw failure('/etc/resolv.conf names no server; give --server ADDRESS')
  return found
}

function formatExplained(
  query: Message,
  notes: Explained['notes'],
  answer: Message | undefined,
): string {
  const width = Math.max(0, ...notes.map(({ plugin }) => plugin.length))
  const lines = notes.map(({ plugin, text }) => `${plugin.padEnd(width)}  ${text}\n`)
  const shown =
    answer === undefined ? ';; no answer: the query is dropped\n' : formatMessage(answer)
  return `${lines.join('')}${notes.length > 0 ? '\n' : ''}${shown}${answer === undefined ? describe(query) : ''}`
}

function describe({ questions }: Message): string {
  return questions
    .map(({ name, type, class: of }) => `;${name}\t${formatClass(of)}\t${formatType(type)}\n`)
    .join('')
}

/** As dig prints it. */
function formatMessage(message: Message): string {
  const { id, rcode, flags, edns } = message
  const set = Object.entries(flags).flatMap(([name, isSet]) => (isSet ? [name] : []))
  const opt =
    edns === undefined
      ? ''
      : `;; EDNS: version ${edns.version}, udp ${edns.udpSize}${edns.isDnssecOk ? ', do' : ''}\n`
  return (
    `;; status: ${formatRcode(rcode)}, id: ${id}\n;; flags: ${set.join(' ')}\n${opt}` +
    `\n;; QUESTION\n${describe(message)}` +
    formatSection('ANSWER', message.answers) +
    formatSection('AUTHORITY', message.authority) +
    formatSection('ADDITIONAL', message.additional) +
    '\n'
  )
}

function formatSection(title: string, records: Message['answers']): string {
  if (records.length === 0) return ''
  return `\n;; ${title}\n${records.map((record) => `${formatRecord(record)}\n`).join('')}`
}
