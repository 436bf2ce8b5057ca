import type { Family } from '../../net/address.ts'
import type { NftablesConnection } from '../../netlink/nftables/connection.ts'
import type { RuleBounds } from '../../netlink/nftables/rule-reader.ts'
import type { ServicePlan } from '../plan/plan.ts'
import { ChainDigest } from './chain-digest.ts'
import { isOwnChain } from './chain-names.ts'
import { EndpointTemplates } from './endpoint-templates.ts'
import type { FamilyProgram } from './family-program.ts'
import { tableFamilies } from './netlink-writer.ts'
import { type FilledChain, type Rule, type TableName, tableNames } from './rule.ts'
import { kernelRule } from './rule-expressions.ts'

/** Whether the kernel holds a program with these services exactly as it is written over netlink, and nothing
 *  else of ours: a restart then has nothing to do, and no program has to print what there is. False says
 *  little: what iptables has written means the same in other bytes. */
export function isInPlace(
  connection: NftablesConnection,
  program: FamilyProgram,
  services: ReadonlyMap<string, ServicePlan>,
): boolean {
  const digest = new ChainDigest()
  const templates = new EndpointTemplates()
  const digestOf = ({ name, rules }: Pick<FilledChain, 'name' | 'rules'>): string => {
    for (const rule of rules) digest.addWanted(encode(templates, name, rule, program.family))
    return rules.length === 0 ? '' : digest.take()
  }
  const generation = connection.generation()
  const isEqual = tableNames.every((table) => {
    const present = readDigests(connection, program.family, table, digest)
    for (const chain of program.chains(services.values(), table)) {
      if (present.get(chain.name) !== digestOf(chain)) return false
      present.delete(chain.name)
    }
    for (const [name, rules] of hooksOf(program, table)) {
      if (present.get(name) !== digestOf({ name, rules })) return false
      present.delete(name)
    }
    return present.size === 0
  })
  // What others changed meanwhile may have been seen half-way.
  return isEqual && connection.generation() === generation
}

function encode(templates: EndpointTemplates, chain: string, rule: Rule, family: Family) {
  return templates.rule(chain, rule, family) ?? kernelRule(chain, rule, family)
}

function hooksOf(program: FamilyProgram, table: TableName): ReadonlyMap<string, readonly Rule[]> {
  const rules = new Map<string, Rule[]>()
  for (const hook of program.hooks) {
    if (hook.table === table) rules.set(hook.chain, [...(rules.get(hook.chain) ?? []), hook.rule])
  }
  return rules
}

/** The digests of our chains, and of our rules in others; empty for a chain without rules. */
function readDigests(
  connection: NftablesConnection,
  family: Family,
  table: TableName,
  digest: ChainDigest,
): Map<string, string> {
  const digests = new Map<string, string>()
  const tableFamily = tableFamilies[family]
  for (const { name } of connection.listChains(tableFamily, table)) {
    const isOwn = isOwnChain(name)
    let ruleCount = 0
    connection.forEachRule(tableFamily, table, name, (bytes, rule) => {
      if (!isOwn && !isOwnChain(targetOf(bytes, rule))) return
      digest.addDumped(bytes, rule)
      ruleCount++
    })
    if (isOwn || ruleCount > 0) digests.set(name, ruleCount === 0 ? '' : digest.take())
  }
  return digests
}

/** Longer than any name of a chain (NFT_CHAIN_MAXNAMELEN is 256, but iptables' are shorter than 29). */
const tailBytes = 32

/** The chain that a rule leads to: its name is the end of the last expression. */
function targetOf(bytes: Uint8Array, { start, end }: RuleBounds): string {
  const tail = Buffer.from(bytes.slice(Math.max(start, end - tailBytes), end)).toString('latin1')
  return /([\x20-\x7e]+)\0+$/.exec(tail)?.[1] ?? ''
}
