import { get } from 'node:http'
import type { ExplainedJson } from '../dns/server/explain-page.ts'
import { decodeMessage } from '../dns/wire/decode-message.ts'
import type { Message } from '../dns/wire/message.ts'
import { formatType } from '../dns/wire/numbers.ts'
import { failure } from './cli-error.ts'
import { formatMessage } from './format-message.ts'

/** Why a server, or a thread of it, answers as it does. */
export interface NamedExplanation {
  /** Undefined: there is only one. */
  readonly title: string | undefined
  readonly notes: readonly { readonly plugin: string; readonly text: string }[]
  /** Undefined: the query is dropped. */
  readonly answer: Message | undefined
}

/** A question to a running server. */
export interface RunningQuestion {
  readonly name: string
  readonly type: number
  /** Address of the client. */
  readonly from: string
  readonly transport: 'udp' | 'tcp'
  /** Port of its listener; undefined: its first one. */
  readonly port: string | undefined
}

/** How long the server may take: longer than it waits for its upstreams. */
const timeoutMs = 8_000

/** Asks a running server through its health page. Rejects with one line when there is none, or when it refuses. */
export async function explainRunning(
  page: { readonly address: string; readonly port: number },
  { name, type, from, transport, port }: RunningQuestion,
  signal: AbortSignal,
): Promise<readonly NamedExplanation[]> {
  const parameters = new URLSearchParams({ name, type: formatType(type), from, transport })
  if (port !== undefined) parameters.set('port', port)
  const host = page.address.includes(':') ? `[${page.address}]` : page.address
  const where = `${host}:${page.port}`
  const { status, body } = await fetchPage(`http://${where}/explain?${parameters}`, signal).catch(
    (error: NodeJS.ErrnoException) => {
      const advice = 'give the address of the health directive of a running server with --server'
      throw failure(`health page ${where}: ${error.code ?? error.message}; ${advice}`, error)
    },
  )
  if (status === 404) throw failure(`health page ${where}: no such page; is it portolan dns?`)
  if (status !== 200) throw failure(`health page ${where}: ${body.trim()}`)
  const explained = JSON.parse(body) as ExplainedJson
  if (explained.length === 0)
    throw failure(`the server at ${where} does not listen at port ${port}`)
  const isAlike = (left: ExplainedJson[number], right: ExplainedJson[number]): boolean =>
    JSON.stringify(left.notes) === JSON.stringify(right.notes)
  const different = explained.filter(
    (each, index) => explained.findIndex((other) => isAlike(each, other)) === index,
  )
  return different.map((each) => ({
    title: different.length > 1 ? threadTitle(explained, isAlike, each) : each.listener,
    notes: each.notes,
    answer: each.answer === null ? undefined : decodeMessage(Buffer.from(each.answer, 'base64')),
  }))
}

/** Threads that say the same, counted from 1. */
function threadTitle(
  explained: ExplainedJson,
  isAlike: (left: ExplainedJson[number], right: ExplainedJson[number]) => boolean,
  each: ExplainedJson[number],
): string {
  const numbers = explained.flatMap((other, index) => (isAlike(each, other) ? [index + 1] : []))
  return `${each.listener}, thread ${numbers.join(', ')} of ${explained.length}`
}

/** The notes in columns, and the answer as dig prints it. */
export function formatExplained({ title, notes, answer }: NamedExplanation): string {
  const width = Math.max(0, ...notes.map(({ plugin }) => plugin.length))
  const heading = title === undefined ? '' : `# ${title}\n`
  const lines = notes.map(({ plugin, text }) => `${plugin.padEnd(width)}  ${text}\n`)
  const gap = notes.length > 0 ? '\n' : ''
  const shown =
    answer === undefined ? ';; no answer: the query is dropped\n' : formatMessage(answer)
  return `${heading}${lines.join('')}${gap}${shown}`
}

function fetchPage(url: string, signal: AbortSignal): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const asking = get(url, { signal, timeout: timeoutMs, agent: false }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
    )
  })
  asking.on('timeout', () => asking.destroy(new Error('no answer')))
  asking.on('error', reject)
  return promise
}
