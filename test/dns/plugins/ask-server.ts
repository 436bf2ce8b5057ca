import { tmpdir } from 'node:os'
import type { Plugin } from '../../../src/dns/chain/plugin.ts'
import { answerTo, replyMessage } from '../../../src/dns/chain/reply.ts'
import { checkCorefile } from '../../../src/dns/corefile/check-corefile.ts'
import { buildServers, type DnsListener } from '../../../src/dns/plugins/build-servers.ts'
import { silentCacheObserver } from '../../../src/dns/plugins/cache-observer.ts'
import type { ChainParts } from '../../../src/dns/plugins/chain-parts.ts'
import type { Query, Response } from '../../../src/dns/plugins/dns-server.ts'
import { silentForwardObserver } from '../../../src/dns/plugins/forward-observer.ts'
import { readTextFile } from '../../../src/dns/plugins/watched-file.ts'
import { type Message, noFlags } from '../../../src/dns/wire/message.ts'
import { formatRcode, parseClass, parseType } from '../../../src/dns/wire/numbers.ts'
import { parseRecordText } from '../../../src/dns/zonefile/parse-record.ts'
import { createLogger } from '../../../src/observe/logger.ts'
import { formatRecord } from './format-record.ts'
import { ManualClock } from './manual-clock.ts'

/** A server from a Corefile, with made-up upstreams, time and files. */
export interface TestServer {
  readonly clock: ManualClock
  readonly listeners: readonly DnsListener[]
  /** Lines of the log, as JSON. */
  readonly log: string[]
  /** Questions that went upstream, `NAME TYPE` in order. */
  readonly forwarded: string[]
  /** Asks and gives the answer as text: `RCODE flags`, then the records of each section. */
  ask(question: string, options?: Partial<AskOptions>): Promise<string>
  /** Asks and gives the whole response. */
  respond(question: string, options?: Partial<AskOptions>): Promise<Response | undefined>
}

/** How a question is asked. */
export interface AskOptions {
  readonly client: string
  readonly transport: Query['transport']
  readonly edns: Message['edns']
  readonly flags: Partial<Message['flags']>
  readonly class: string
}

/** What upstream says: records by `NAME TYPE` in zone-file notation, or a code. */
export type UpstreamData = Readonly<Record<string, readonly string[] | string>>

/** What a test may bring. */
export interface TestWorld {
  readonly upstream?: UpstreamData | ((query: Message, label: string) => Promise<Message> | Message)
  readonly files?: Readonly<Record<string, string>>
  readonly kubernetes?: Plugin
}

/** Builds the server of a Corefile. Throws its CorefileError. */
export function testServer(corefile: string, world: TestWorld = {}): TestServer {
  const clock = new ManualClock()
  const log: string[] = []
  const forwarded: string[] = []
  const decoded = checkCorefile('Corefile', corefile, {
    environment: {},
    importFiles: () => undefined,
    defaultPort: 53,
  })
  const listeners = buildServers(decoded, parts(world, clock, log, forwarded))
  const respond = async (
    question: string,
    options: Partial<AskOptions> = {},
  ): Promise<Response | undefined> => {
    const response = await listeners[0]?.respond({
      message: queryOf(question, options),
      client: { address: options.client ?? '198.51.100.1', port: 4242 },
      local: { address: '192.0.2.53', port: 53 },
      transport: options.transport ?? 'udp',
    })
    return response
  }
  const ask = async (question: string, options: Partial<AskOptions> = {}): Promise<string> => {
    const response = await respond(question, options)
    return response === undefined ? 'nothing' : formatMessage(response.message)
  }
  return { clock, listeners, log, forwarded, ask, respond }
}

function parts(
  { upstream, files = {}, kubernetes }: TestWorld,
  clock: ManualClock,
  log: string[],
  forwarded: string[],
): ChainParts {
  return {
    clock,
    monotonicMs: () => clock.now(),
    random: () => 0,
    log: createLogger({ format: 'json', level: 'debug' }, (line) => log.push(line)),
    kubernetes: () => kubernetes ?? noKubernetes,
    openUpstream: ({ address }) => ({
      label: address,
      exchange: async (query) => {
        const [question] = query.questions
        forwarded.push(`${question?.name} ${question?.type}`)
        return typeof upstream === 'function'
          ? await upstream(query, address)
          : upstreamReply(query, upstream ?? {})
      },
      close: () => undefined,
    }),
    readFile: (path) => (path.startsWith(tmpdir()) ? readTextFile(path) : files[path]),
    hostName: 'node-1',
    askListener: () => Promise.resolve(),
    interfaceAddresses: (name) => (name === 'lo' ? ['127.0.0.1', '::1'] : undefined),
    onLoop: (reason) => log.push(reason),
    cacheObserver: silentCacheObserver,
    forwardObserver: silentForwardObserver,
  }
}

const noKubernetes: Plugin = { name: 'kubernetes', serve: (request, next) => next(request) }

/** A plugin that answers `NAME` with an address, as `kubernetes` does. */
export function fixedKubernetes(
  addresses: Readonly<Record<string, string>>,
  searchPath?: readonly string[],
): Plugin {
  return {
    name: 'kubernetes',
    serve: (request, next) => {
      const { message, name, question } = request
      if (!name.endsWith('cluster.local.')) return next(request)
      const address = addresses[name]
      const text = address === undefined ? [] : [`${question.name} 5 IN A ${address}`]
      const soa = records([
        'cluster.local. 5 IN SOA ns.dns.cluster.local. h.cluster.local. 1 2 3 4 5',
      ])
      return answerTo(message, {
        flags: { aa: true },
        rcode: address === undefined ? 3 : 0,
        answers: records(text),
        authority: address === undefined ? soa : [],
        memo: 'until-names-change',
      })
    },
    searchPath: () => searchPath,
  }
}

function upstreamReply(query: Message, data: UpstreamData): Message {
  const [question] = query.questions
  const key = `${question?.name.toLowerCase()} ${question?.type}`
  const found = Object.entries(data).find(([name]) => {
    const [owner, type = ''] = name.split(' ')
    return key === `${owner} ${parseType(type)}`
  })?.[1]
  if (found === undefined) {
    const authority = records(['. 60 IN SOA a. b. 1 2 3 4 60'])
    return replyMessage(query, { flags: { ra: true }, rcode: 3, authority })
  }
  if (typeof found === 'string') return replyMessage(query, { rcode: Number(found) })
  return replyMessage(query, { flags: { ra: true }, answers: records(found) })
}

/** Records of their lines. */
export function records(lines: readonly string[]): Message['answers'] {
  return lines.map((line) => {
    const record = parseRecordText(line, 300)
    if (record === undefined) throw new Error(`not a record: ${line}`)
    return record
  })
}

function queryOf(question: string, options: Partial<AskOptions>): Message {
  const [name = '.', type = 'A'] = question.split(' ')
  const number = parseType(type) ?? 0
  const recordClass = parseClass(options.class ?? 'IN') ?? 1
  return {
    id: 77,
    flags: { ...noFlags, rd: true, ...options.flags },
    opcode: 0,
    rcode: 0,
    questions: [{ name, type: number, class: recordClass }],
    answers: [],
    authority: [],
    additional: [],
    edns: options.edns,
  }
}

function formatMessage(message: Message): string {
  const flags = Object.entries(message.flags).flatMap(([name, isSet]) =>
    isSet && name !== 'qr' && name !== 'rd' ? [name] : [],
  )
  const sections = [message.answers, message.authority, message.additional]
  const texts = sections.map((section) => section.map(formatRecord).join(', '))
  const { edns } = message
  const opt = edns === undefined ? '' : ` opt=${edns.udpSize}${edns.isDnssecOk ? 'do' : ''}`
  const options = (edns?.options ?? []).map(
    ({ code, data }) => ` ${code}:${Buffer.from(data).toString('hex')}`,
  )
  const head = [formatRcode(message.rcode), ...flags].join(' ')
  return `${head} | ${texts.join(' | ')}${opt}${options.join('')}`.replace(/[ |]+$/, '')
}
