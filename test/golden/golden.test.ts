import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runScenario } from './run-scenario.ts'
import { isScenario, loadScenario } from './scenario.ts'
import {
  iptablesSubject,
  ipvsSubject,
  planSubject,
  programSubject,
  type Subject,
  userspaceSubject,
} from './subjects.ts'
import { Tally } from './tally.ts'

const test = suite('golden/golden')

const tiny = fileURLToPath(new URL('fixtures/tiny', import.meta.url))
const allSubjects: readonly Subject[] = [
  planSubject,
  programSubject,
  iptablesSubject,
  ipvsSubject,
  userspaceSubject,
]

interface Run {
  readonly tally: Tally
  readonly printed: readonly string[]
}

function run(directory: string, { seed = 1, isVerbose = false, subjects = allSubjects } = {}): Run {
  const tally = new Tally()
  const printed: string[] = []
  const print = (line: string): void => {
    printed.push(line)
  }
  runScenario(loadScenario(directory), { seed, subjects, tally, print, isVerbose })
  return { tally, printed }
}

/** Runs the fixture with one file of a step changed. */
function runChanged(file: string, change: (text: string) => string): Run {
  const directory = mkdtempSync(join(tmpdir(), 'golden-'))
  try {
    cpSync(tiny, directory, { recursive: true })
    const path = join(directory, file)
    const text = readFileSync(path, 'utf8')
    const changed = change(text)
    assert.is.not(changed, text, 'the change must change something')
    writeFileSync(path, changed)
    return run(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('the fixture: plan and programs equal the rules written by hand', () => {
  const { tally, printed } = run(tiny)
  assert.equal(printed, [])
  assert.is(tally.equal, tally.total)
  assert.ok(tally.total > 300, `only ${tally.total} comparisons`)
  assert.is(tally.lines().at(-1), `golden proxy: ${tally.total} of ${tally.total}`)
})

test('the same seed gives the same flows, another one others', () => {
  const flows = (seed: number) => run(tiny, { seed, isVerbose: true }).printed.join('\n')
  assert.is(flows(7), flows(7))
  assert.is.not(flows(7), flows(8))
})

const changes: readonly (readonly [string, string, (text: string) => string])[] = [
  [
    'another backend',
    '00/nft.json',
    (text) => text.replace('"addr": "10.1.1.7"', '"addr": "10.1.1.8"'),
  ],
  ['no hairpin', '00/nft.json', (text) => text.replace('"@hairpin-connections"', '"@cluster-ips"')],
  ['another affinity', '00/nft.json', (text) => text.replaceAll('"timeout": 60', '"timeout": 61')],
  ['no masquerade', '00/nft.json', (text) => text.replace('"masquerade": {', '"counter": {')],
  [
    'reject for drop',
    '01/nft.json',
    (text) => text.replace('"drop": null', '"goto": { "target": "reject-chain" }'),
  ],
  [
    'another pod range',
    'scenario.json',
    (text) => text.replace('"clusterCIDR": "10.1.0.0/16"', '"clusterCIDR": "10.1.0.0/24"'),
  ],
  [
    'an endpoint of another port',
    '00/events.json',
    (text) => text.replace('"port": 8080', '"port": 8081'),
  ],
]
for (const [title, file, change] of changes) {
  test(`${title} is a difference`, () => {
    const { tally, printed } = runChanged(file, change)
    assert.ok(tally.equal < tally.total)
    assert.match(printed.join('\n'), /^tiny step 0[0-2]: plan DIFFERENT: /m)
  })
}

test('a rule that is not understood ends the run and names itself', () => {
  const change = (text: string): string => text.replace('"masquerade": {', '"tproxy": {')
  assert.throws(() => runChanged('00/nft.json', change), /nft\.json: .*tproxy/)
})

/** Recorded scenarios are not in the repository; whoever has them names their folder. */
function recordedFolder(): string | undefined {
  const named = process.env.PORTOLAN_GOLDEN
  const beside = fileURLToPath(new URL('../../../shared/golden', import.meta.url))
  return [named, beside].find((folder) => folder !== undefined && existsSync(join(folder, 'proxy')))
}

const recorded = recordedFolder()
const title = 'recorded scenarios of kube-proxy'
if (recorded === undefined) {
  process.stdout.write(`# skipped: ${title}: no recorded data (PORTOLAN_GOLDEN names no folder)\n`)
  test.skip(title, () => {})
} else {
  const root = join(recorded, 'proxy')
  const names = readdirSync(root).filter((entry) => isScenario(join(root, entry)))
  for (const [index, name] of names.sort().entries()) {
    // Programs are asked in one scenario only, for time; `npm run golden` asks them in all.
    const subjects = index === 0 ? allSubjects : [planSubject]
    test(`${title}: ${name}`, () => {
      const { tally, printed } = run(join(root, name), { subjects })
      assert.equal(printed.slice(0, 5), [])
      assert.is(tally.equal, tally.total)
    })
  }
}

test.run()
