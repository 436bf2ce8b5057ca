import { checkCorefile } from '../../../src/dns/corefile/check-corefile.ts'
import { decodeMessage } from '../../../src/dns/wire/decode-message.ts'
import { encodeMessage } from '../../../src/dns/wire/encode-message.ts'
import { type Message, noFlags } from '../../../src/dns/wire/message.ts'
import { parseName } from '../../../src/dns/wire/name.ts'
import { parseClass, parseType } from '../../../src/dns/wire/numbers.ts'
import { compareAnswer } from './compare-answer.ts'
import type { DnsScenario, Exchange, RecordedQuery } from './dns-scenario.ts'
import { openSubject } from './dns-subject.ts'

/** What a run counts and prints. */
export interface DnsRun {
  equal: number
  total: number
  readonly print: (line: string) => void
}

/** Where queries without a recorded source come from: no pod has this address. */
const defaultClient = '172.29.0.1'

/** Asks all questions of a scenario, in the order in which the original was asked, and prints every
 *  difference with scenario and step. Rejects when the Corefile is refused. */
export async function runDnsScenario(scenario: DnsScenario, run: DnsRun): Promise<void> {
  const text = scenario.corefile.replaceAll('__KUBECONFIG__', 'kubeconfig')
  const corefile = checkCorefile(`${scenario.name}/Corefile`, text, {
    defaultPort: 53,
    environment: {},
    importFiles: () => undefined,
  })
  const hasCache = corefile.blocks.some(({ settings }) => settings.cache !== undefined)
  const subject = openSubject(scenario, corefile)
  for (const step of scenario.steps) {
    subject.setObjects(step.objects)
    for (const [index, exchange] of step.exchanges.entries()) {
      const query = queryOf(exchange.q, index & 0xffff)
      const differences: string[] = []
      // The second time the answer may come from the memo in front of the chain: it must be equal too.
      for (const time of ['', 'asked again: ']) {
        const bytes = await subject.ask(encodeMessage(query, 65_535), {
          client: exchange.q.from ?? defaultClient,
          transport: exchange.q.tcp === true ? 'tcp' : 'udp',
        })
        const ours = bytes === undefined ? undefined : decodeMessage(bytes)
        const found = [
          ...compareAnswer(exchange.a, ours, { hasCache }),
          ...compareEcho(query, ours),
        ]
        differences.push(...found.map((difference) => time + difference))
      }
      run.total++
      if (differences.length === 0) run.equal++
      for (const difference of differences) {
        run.print(`${scenario.name} ${step.name}: ${describe(exchange.q)}: ${difference}`)
      }
    }
  }
}

function queryOf(query: RecordedQuery, id: number): Message {
  const name = parseName(query.name)
  const type = parseType(query.type)
  const recordClass = parseClass(query.class ?? 'IN')
  if (name === undefined || type === undefined || recordClass === undefined) {
    throw new Error(`${JSON.stringify(query)}: not a question`)
  }
  const hasEdns = query.edns !== undefined || query.do === true
  return {
    id,
    flags: { ...noFlags, rd: query.rd ?? true, cd: query.cd ?? false },
    opcode: 0,
    rcode: 0,
    questions: [{ name, type, class: recordClass }],
    answers: [],
    authority: [],
    additional: [],
    edns: hasEdns
      ? { udpSize: query.edns ?? 512, version: 0, isDnssecOk: query.do ?? false, options: [] }
      : undefined,
  }
}

/** What the original was not recorded with, but every client checks. */
function compareEcho(query: Message, ours: Message | undefined): string[] {
  if (ours === undefined) return []
  const isEcho =
    ours.flags.qr &&
    ours.id === query.id &&
    JSON.stringify(ours.questions) === JSON.stringify(query.questions)
  return isEcho ? [] : ['our answer does not repeat id and question']
}

function describe(query: Exchange['q']): string {
  const { name, type, ...rest } = query
  return [name, type, ...Object.entries(rest).map(([key, value]) => `${key}=${value}`)].join(' ')
}
