import { decodeMatches, type RecentTimeouts } from './iptables-matches.ts'
import { decodeTarget, isTargetOption } from './iptables-target.ts'
import { type Line, readOptions, refuseLine, splitWords } from './iptables-words.ts'
import {
  type BaseChain,
  type Chain,
  type Hook,
  orderBaseChains,
  walkPacket,
} from './packet-walk.ts'
import type { Simulation } from './simulation.ts'
import { uniteOutcomes } from './unite-outcomes.ts'

/** Parses what iptables-save or ip6tables-save wrote (one family) and interprets it as the kernel
 *  does; `-m recent` lists are taken as empty. An unknown option or target is a DecodeError that
 *  names the line. The flows asked for must be of the family of the text. */
export function simulateIptablesSave(text: string, source = 'iptables-save'): Simulation {
  const hooks = orderBaseChains(readTables(text, source))
  return {
    verdict: (flow, localAddresses) => uniteOutcomes(walkPacket(hooks, flow, localAddresses)),
  }
}

interface Table {
  readonly name: string
  readonly chains: Map<string, Chain>
}

const hookNames: Readonly<Record<string, Hook>> = {
  PREROUTING: 'prerouting',
  INPUT: 'input',
  FORWARD: 'forward',
  OUTPUT: 'output',
  POSTROUTING: 'postrouting',
}

/** enum nf_ip_hook_priorities; include/uapi/linux/netfilter_ipv4.h */
const priorities: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  filter: 0,
  security: 50,
}

/** NF_IP_PRI_NAT_DST and NF_IP_PRI_NAT_SRC of the same header. */
const natDestinationPriority = -100
const natSourcePriority = 100

function readTables(text: string, source: string): readonly BaseChain[] {
  const bases: BaseChain[] = []
  const rules: { readonly line: Line; readonly table: Table }[] = []
  let table: Table = { name: '', chains: new Map() }
  for (const [index, lineText] of text.split('\n').entries()) {
    const line: Line = { source, number: index + 1, text: lineText }
    if (lineText === '' || lineText.startsWith('#') || lineText === 'COMMIT') continue
    if (lineText.startsWith('*')) table = { name: lineText.slice(1), chains: new Map() }
    else if (lineText.startsWith(':')) declareChain(line, table, bases)
    else if (lineText.startsWith('-A ')) rules.push({ line, table })
    else refuseLine(line, lineText, '*TABLE, :CHAIN, -A or COMMIT')
  }
  const recent: RecentTimeouts = new Map()
  for (const rule of rules) addRule(rule.line, rule.table, recent)
  return bases
}

function declareChain(line: Line, table: Table, bases: BaseChain[]): void {
  const [name = '', policy] = line.text.slice(1).split(' ')
  const chain: Chain = { name, rules: [] }
  table.chains.set(name, chain)
  if (policy === '-') return
  const hook = hookNames[name]
  if (hook === undefined) refuseLine(line, name, 'a built-in chain, or a policy of -')
  if (policy !== 'ACCEPT' && policy !== 'DROP') refuseLine(line, policy, 'ACCEPT or DROP')
  bases.push({
    hook,
    type: table.name === 'nat' ? 'nat' : 'filter',
    priority: priorityOf(line, table.name, hook),
    policy: policy === 'DROP' ? 'drop' : 'accept',
    chain,
  })
}

function priorityOf(line: Line, tableName: string, hook: Hook): number {
  if (tableName === 'nat') {
    return hook === 'prerouting' || hook === 'output' ? natDestinationPriority : natSourcePriority
  }
  return priorities[tableName] ?? refuseLine(line, tableName, 'raw, mangle, nat, filter, security')
}

function addRule(line: Line, table: Table, recent: RecentTimeouts): void {
  const [, chainName = '', ...words] = splitWords(line.text)
  const chain =
    table.chains.get(chainName) ?? refuseLine(line, chainName, 'a chain that is declared')
  const options = readOptions(line, words)
  const targetAt = options.findIndex(isTargetOption)
  const matchOptions = targetAt < 0 ? options : options.slice(0, targetAt)
  const steps = [...decodeMatches(line, matchOptions, recent)]
  const target = decodeTarget(line, targetAt < 0 ? [] : options.slice(targetAt), table.chains)
  if (target !== undefined) steps.push(target)
  chain.rules.push(steps)
}
