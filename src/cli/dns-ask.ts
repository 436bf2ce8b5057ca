import { readFileSync } from 'node:fs'
import { askCorefile } from '../dns/server/ask-corefile.ts'
import { type Asked, askServer, queryMessage } from '../dns/server/ask-server.ts'
import type { Message } from '../dns/wire/message.ts'
import { parseName } from '../dns/wire/name.ts'
import { parseType } from '../dns/wire/numbers.ts'
import { parseAddress } from '../net/address.ts'
import { createLogger } from '../observe/logger.ts'
import { readLocalAddresses } from '../proxy/local-addresses.ts'
import { failure, usageError } from './cli-error.ts'
import { lazySource, openCluster } from './dns-cluster.ts'
import { readCorefile, readPort } from './dns-corefile.ts'
import { explainRunning, formatExplained, type NamedExplanation } from './dns-explain.ts'
import { formatMessage } from './format-message.ts'
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
  const [action, ...words] = input.arguments
  if (words.length === 0) {
    throw usageError(`dns ${action}: which name? portolan dns ${action} NAME [TYPE]`)
  }
  const question = readQuestion(words)
  if (action === 'explain') {
    const explained = await explain(input, io, question, signal)
    printValue(input, io, explained, () => explained.map(formatExplained).join('\n'))
    return 0
  }
  const query = queryMessage(question)
  const { conf, manifests, kubeconfig } = input.texts
  const isAdHoc = (conf ?? manifests ?? kubeconfig) !== undefined
  const started = performance.now()
  const protocol = input.texts.tcp === 'true' ? 'tcp' : 'udp'
  const server = isAdHoc ? undefined : readServer(input.texts.server ?? firstNameServer(), 53)
  const answer =
    server === undefined
      ? (await askOnce(input, io, query, signal)).response?.message
      : await askRunning(server, query, protocol)
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

/** Rejects with one line when the server does not answer. */
async function askRunning(...asked: Parameters<typeof askServer>): Promise<Message> {
  try {
    return await askServer(...asked)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw failure(`${reason}; give the address of a running server with --server`, error)
  }
}

/** By the running server whose health page is given, else by one that is opened for the question. */
async function explain(
  input: CommandInput,
  io: CliIo,
  question: Asked,
  signal: AbortSignal,
): Promise<readonly NamedExplanation[]> {
  const { server, from = '127.0.0.1', tcp } = input.texts
  if (server !== undefined) {
    const port = input.texts['dns.port']
    const page = readServer(server, 8080)
    const transport = tcp === 'true' ? 'tcp' : 'udp'
    return explainRunning(page, { ...question, from, transport, port }, signal)
  }
  const { notes, response } = await askOnce(input, io, queryMessage(question), signal)
  return [{ title: undefined, notes, answer: response?.message }]
}

/** Opens the Corefile's server for one question. */
async function askOnce(
  { texts }: CommandInput,
  io: CliIo,
  message: Message,
  signal: AbortSignal,
): ReturnType<typeof askCorefile> {
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

/** `10.0.0.1`, `10.0.0.1:5353`, `::1` or `[::1]:5353`. */
function readServer(written: string, defaultPort: number): { address: string; port: number } {
  const [, bracketed, plain, port = `${defaultPort}`] =
    /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(written) ?? []
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
