import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CliError } from '../../src/cli/cli-error.ts'
import { type ParsedCommandLine, parseCommandLine } from '../../src/cli/command-line.ts'
import { diff } from '../../src/cli/diff.ts'
import { proxy } from '../../src/cli/proxy.ts'
import { status } from '../../src/cli/status.ts'
import { trace } from '../../src/cli/trace.ts'

const test = suite('cli/command-line')
const commands = [proxy, status, trace, diff]

function parse(...words: readonly string[]): ParsedCommandLine {
  return parseCommandLine(commands, '1.2.3', words)
}

function texts(...words: readonly string[]): Readonly<Record<string, string>> {
  const parsed = parse(...words)
  return parsed.kind === 'run' ? parsed.input.texts : {}
}

function refusal(...words: readonly string[]): string {
  try {
    parse(...words)
  } catch (error) {
    assert.instance(error, CliError)
    assert.ok((error as CliError).isUsage)
    return (error as CliError).message
  }
  return 'accepted'
}

function printed(...words: readonly string[]): string {
  const parsed = parse(...words)
  return parsed.kind === 'print' ? parsed.text : ''
}

const accepted: readonly [readonly string[], Readonly<Record<string, string>>][] = [
  [['proxy', '--masquerade-all'], { 'masquerade-all': 'true' }],
  [['proxy', '--masquerade-all=false'], { 'masquerade-all': 'false' }],
  [['proxy', '-v', '4'], { v: '4' }],
  [['proxy', '-v=4'], { v: '4' }],
  [['proxy', '--v=4'], { v: '4' }],
  [['proxy', '--metrics-bind-address', ''], { 'metrics-bind-address': '' }],
  [['proxy', '--oom-score-adj', '-5'], { 'oom-score-adj': '-5' }],
  [
    ['proxy', '--nodeport-addresses', '10.0.0.0/8', '--nodeport-addresses=fd00::/8'],
    { 'nodeport-addresses': '10.0.0.0/8,fd00::/8' },
  ],
  [['proxy', '--cluster-cidr', 'a', '--cluster-cidr', 'b'], { 'cluster-cidr': 'b' }],
  [['status', '--manifests', 'd', '-o', 'json'], { manifests: 'd', output: 'json' }],
]

for (const [words, expected] of accepted) {
  test(`takes ${words.join(' ')}`, () => assert.equal(texts(...words), expected))
}

const refused: readonly [readonly string[], string][] = [
  [['prxy'], "unknown command 'prxy' (Did you mean proxy?)"],
  [['proxy', '--manifest', 'd'], "unknown option '--manifest' (Did you mean --manifests?)"],
  [
    ['proxy', '--cluster-cdir', 'd'],
    "unknown option '--cluster-cdir' (Did you mean --cluster-cidr?)",
  ],
  [['proxy', '--config'], "option '--config <string>' argument missing"],
  [['proxy', 'extra'], "too many arguments for 'proxy'. Expected 0 arguments but got 1: extra."],
  [['trace', '10.0.0.1'], "missing required argument 'to'"],
]

for (const [words, message] of refused) {
  test(`refuses ${words.join(' ')}`, () => assert.is(refusal(...words), message))
}

test('positional arguments are kept in order', () => {
  const parsed = parse('trace', '10.0.0.1', '10.96.0.1:80/tcp', '--interface', 'veth1')
  assert.ok(parsed.kind === 'run')
  assert.equal(parsed.kind === 'run' && parsed.input.arguments, ['10.0.0.1', '10.96.0.1:80/tcp'])
})

test('the version and the help are printed', () => {
  assert.is(printed('--version'), '1.2.3\n')
  for (const { name } of commands) {
    assert.match(printed(), name)
    assert.match(printed(name, '--help'), `Usage: portolan ${name}`)
  }
})

test('no line of any help is longer than 100 characters', () => {
  for (const words of [[], ...commands.map(({ name }) => [name, '--help'])]) {
    const long = printed(...words)
      .split('\n')
      .filter((line) => line.length > 100)
    assert.equal(long, [])
  }
})

test('no command has an option twice', () => {
  for (const { options } of commands) {
    const names = options.map(({ name }) => name)
    assert.equal(names, [...new Set(names)])
  }
})

test.run()
