import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { detectPrograms } from '../../../src/proxy/iptables/detect-programs.ts'

const test = suite('proxy/iptables/detect-programs')

/** A machine with these programs and their outputs. */
function machine(programs: Readonly<Record<string, string>>) {
  return async (program: string): Promise<string> => {
    const output = programs[program]
    if (output === undefined) throw new Error(`${program} does not exist`)
    return output
  }
}

const marker = '*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n'
const rule = '*nat\n-A PREROUTING -j DOCKER\nCOMMIT\n'
const both = {
  iptables: 'iptables v1.8.9 (nf_tables)',
  'iptables-nft-save': '',
  'iptables-legacy-save': '',
}

const rows: readonly (readonly [string, Readonly<Record<string, string>>, string, string])[] = [
  ['what plain iptables is, on an empty node', both, 'nf_tables', 'iptables-nft-save'],
  [
    'the same where it is legacy',
    { ...both, iptables: 'iptables v1.8.9 (legacy)' },
    'legacy',
    'iptables-legacy-save',
  ],
  [
    'the variant that has rules',
    { ...both, 'iptables-legacy-save': rule },
    'legacy',
    'iptables-legacy-save',
  ],
  [
    'the variant of the kubelet, whatever rules the other has',
    { ...both, 'iptables-nft-save': marker, 'iptables-legacy-save': rule + rule },
    'nf_tables',
    'iptables-nft-save',
  ],
  [
    'the only variant there is',
    { iptables: 'iptables v1.6.1', 'iptables-legacy-save': '' },
    'legacy',
    'iptables-legacy-save',
  ],
  [
    'programs without the name of a variant',
    { iptables: 'iptables v1.6.1' },
    'legacy',
    'iptables-save',
  ],
]
for (const [title, programs, variant, save] of rows) {
  test(title, async () => {
    const found = await detectPrograms(machine(programs), () => true)
    assert.is(found.variant, variant)
    assert.is(found.save[4], save)
    assert.is(found.restore[6], save.replace('iptables', 'ip6tables').replace('save', 'restore'))
  })
}

test('where nobody uses the legacy variant, no rules are read', async () => {
  const asked: string[] = []
  const run = async (program: string, args: readonly string[]): Promise<string> => {
    asked.push([program, ...args].join(' '))
    return `${program} v1.8.9 (nf_tables)`
  }
  const { variant, save } = await detectPrograms(run, () => false)
  assert.is(`${variant} ${save[6]}`, 'nf_tables ip6tables-nft-save')
  assert.equal(asked, ['iptables --version', 'iptables-nft-save --version'])
})

test('no iptables at all: one line that says what to do', async () => {
  const message = await detectPrograms(machine({}), () => false).catch(String)
  assert.match(String(message), 'iptables: no such program on the search path')
  assert.match(String(message), 'install the package iptables')
})

test.run()
