import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Attributes } from '../../src/netlink/attribute-kinds.ts'
import { dynset, expressions } from '../../src/netlink/nftables/expressions.ts'
import { messages } from '../../src/netlink/nftables/messages.ts'
import * as tables from '../../src/netlink/nftables/object-tables.ts'

const test = suite('netlink/header ids')
const path = '/usr/include/linux/netfilter/nf_tables.h'
/** Matches and targets of xtables have a header of their own. */
const paths = [path, '/usr/include/linux/netfilter/nf_tables_compat.h']
const header = paths.every((each) => existsSync(each))
  ? paths.map((each) => readFileSync(each, 'utf8')).join('\n')
  : undefined

/** Our names that are not the kernel's in capitals. */
const kernelNames: Readonly<Record<string, string>> = {
  KEY_BYTES: 'KEY_LEN',
  DATA_BYTES: 'DATA_LEN',
  USER_DATA: 'USERDATA',
  DESCRIPTION: 'DESC',
  TIMEOUT_MS: 'TIMEOUT',
  EXPIRES_IN_MS: 'EXPIRATION',
  GC_INTERVAL_MS: 'GC_INTERVAL',
  PROCESS_ID: 'PROC_PID',
  PROCESS_NAME: 'PROC_NAME',
  REVISION: 'REV',
  EXPRESSION: 'EXPR',
}

const attributeSets: readonly (readonly [string, Attributes])[] = [
  ['NFTA_TABLE', tables.tableAttributes],
  ['NFTA_CHAIN', tables.chainAttributes],
  ['NFTA_RULE', tables.ruleAttributes],
  ['NFTA_SET', tables.setAttributes],
  ['NFTA_SET_ELEM', tables.elementAttributes],
  ['NFTA_SET_ELEM_LIST', tables.elementListAttributes],
  ['NFTA_GEN', tables.generationAttributes],
  ['NFTA_DYNSET', dynset],
  ...Object.entries(expressions)
    .filter(([name]) => !['dynset', 'notrack', 'unknown', 'numgen'].includes(name))
    .map(([name, table]) => [`NFTA_${name.toUpperCase()}`, table] as const),
  ['NFTA_NG', expressions.numgen],
]

if (header === undefined) {
  process.stdout.write(
    `# skipped: attribute ids: ${path} is not on this machine (linux-libc-dev)\n`,
  )
  test.skip('attribute ids are those of the kernel header', () => {})
} else {
  const constants = enumConstants(header)

  test('attribute ids are those of the kernel header', () => {
    for (const [prefix, table] of attributeSets) {
      for (const [name, row] of Object.entries(table)) {
        const ours = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
        const constant = `${prefix}_${kernelNames[ours] ?? ours}`
        const known = constants.get(constant)
        assert.is(row.id, known, `${constant} for ${name}`)
      }
    }
  })

  test('message numbers are those of the kernel header', () => {
    for (const [name, number] of Object.entries(messages)) {
      const constant = `NFT_MSG_${name
        .replace('delete', 'del')
        .replace('Generation', 'Gen')
        .replace('Element', 'SetElem')
        .toUpperCase()}`
      assert.is(number, constants.get(constant), constant)
    }
  })
}

/** Names and values of all enums of a header that count up from 0 or a number. */
function enumConstants(text: string): Map<string, number> {
  const found = new Map<string, number>()
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '')
  for (const [, body = ''] of code.matchAll(/enum\s+\w+\s*\{([^}]*)\}/g)) {
    let next = 0
    for (const member of body.split(',')) {
      const [, name, value] = member.match(/^\s*(\w+)\s*(?:=\s*(-?\w+))?/) ?? []
      if (name === undefined) continue
      next = value === undefined ? next : Number(value)
      found.set(name, next++)
    }
  }
  return found
}

test.run()
