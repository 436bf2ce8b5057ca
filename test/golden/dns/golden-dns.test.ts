import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DnsScenario, type Exchange, loadDnsScenario } from './dns-scenario.ts'
import { runDnsScenario } from './run-dns-scenario.ts'

const test = suite('golden/dns')

const tiny = loadDnsScenario(fileURLToPath(new URL('../fixtures/tiny-dns', import.meta.url)))

async function run(
  scenario: DnsScenario,
): Promise<{ equal: number; total: number; lines: string[] }> {
  const lines: string[] = []
  const counts = { equal: 0, total: 0, print: (line: string) => lines.push(line) }
  await runDnsScenario(scenario, counts)
  return { ...counts, lines }
}

test('every answer to a recorded question is the recorded one, twice', async () => {
  const { equal, total, lines } = await run(tiny)
  assert.equal(lines, [])
  assert.is(equal, total)
  assert.ok(total > 100, `only ${total} questions`)
})

/** The fixture with what was recorded for its first question of a type changed. */
function changed(type: string, change: (answer: Record<string, unknown>) => void): DnsScenario {
  const scenario = structuredClone(tiny)
  const exchange = scenario.steps
    .flatMap(({ exchanges }) => exchanges)
    .find(({ q, a }: Exchange) => q.type === type && 'answers' in Object(a) && hasAnswers(a))
  assert.ok(exchange)
  change(exchange.a as unknown as Record<string, unknown>)
  return scenario
}

function hasAnswers(answer: Exchange['a']): boolean {
  return answer !== 'timeout' && 'answers' in answer && answer.answers.length > 0 && !answer.tc
}

const changes: readonly [string, string, (answer: Record<string, unknown>) => void, RegExp][] = [
  ['another code', 'A', (answer) => (answer.rcode = 'REFUSED'), /header: original REFUSED/],
  ['another flag', 'A', (answer) => (answer.aa = false), /header: original NOERROR rd, ours/],
  ['no records', 'SRV', (answer) => (answer.answers = []), /answers: original \[\], ours \[/],
  ['no answer', 'A', (answer) => (answer.timeout = true), /the original gave no answer/],
  [
    'an OPT record',
    'A',
    (answer) => (answer.additionals = [{ type: 'OPT', udpPayloadSize: 512 }]),
    /edns: original 512 , ours/,
  ],
]
for (const [title, type, change, expected] of changes) {
  test(`a difference is found: ${title}`, async () => {
    const { equal, total, lines } = await run(changed(type, change))
    assert.is(total - equal, 1)
    assert.match(lines[0] ?? '', expected)
  })
}

test('a recorded answer with another record is a difference', async () => {
  const scenario = changed('A', (answer) => {
    const [first] = answer.answers as [{ data: string }]
    first.data = '192.0.2.1'
  })
  const { lines } = await run(scenario)
  assert.match(lines.join('\n'), /answers: original \[.*192\.0\.2\.1 ttl/)
})

test.run()
