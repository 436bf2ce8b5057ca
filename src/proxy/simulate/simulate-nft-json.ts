import type { Family } from '../../net/address.ts'
import {
  at,
  type JsonObject,
  listAt,
  objectAt,
  type Place,
  refuse,
  stringAt,
  tagAt,
} from './json-shape.ts'
import { decodeConstant } from './nft-expressions.ts'
import { decodeMapElements, decodeSetElements, decodeTimeout, indexElements } from './nft-sets.ts'
import { decodeStatement } from './nft-statements.ts'
import { decodeVerdict, type NftTable } from './nft-table.ts'
import {
  type BaseChain,
  type Chain,
  type Hook,
  type HookTable,
  orderBaseChains,
  walkPacket,
} from './packet-walk.ts'
import type { Simulation } from './simulation.ts'
import { uniteOutcomes } from './unite-outcomes.ts'

/** Indexes the answer of `nft -j list ruleset` (already parsed) and interprets it as the kernel does.
 *  Affinity sets are taken as empty. An unknown object, statement or expression is a DecodeError
 *  that names it; nothing is skipped. `source` names the document in errors. */
export function simulateNftJson(ruleset: unknown, source = 'nft.json'): Simulation {
  const hooks = indexRuleset(ruleset, source)
  return {
    verdict: (flow, localAddresses) =>
      uniteOutcomes(walkPacket(hooks[flow.family], flow, localAddresses)),
  }
}

interface Entry {
  readonly kind: string
  readonly place: Place
  readonly body: JsonObject
}

const keys: Readonly<Record<string, readonly string[]>> = {
  table: ['family', 'name', 'handle', 'comment', 'flags'],
  chain: ['family', 'table', 'name', 'handle', 'comment', 'type', 'hook', 'prio', 'policy'],
  set: ['family', 'table', 'name', 'type', 'handle', 'comment', 'elem', 'flags', 'timeout'],
  rule: ['family', 'table', 'chain', 'handle', 'comment', 'expr'],
}
const setKeys = [...(keys.set ?? []), 'size', 'policy', 'gc-interval', 'auto-merge', 'map']

function indexRuleset(ruleset: unknown, source: string): Record<Family, HookTable> {
  const root: Place = { source, path: [] }
  const list = listAt(at(root, 'nftables'), objectAt(root, ruleset).nftables)
  const entries = list.map((value, index) => readEntry(at(root, 'nftables', index), value))
  const tables = new Map<string, NftTable>()
  for (const entry of entries) if (entry.kind === 'table') addTable(tables, entry)
  const bases: Record<Family, BaseChain[]> = { 4: [], 6: [] }
  for (const entry of entries) if (entry.kind === 'chain') addChain(tables, entry, bases)
  // Maps name chains and rules name both, so the order of the passes matters, that of the list not.
  for (const entry of entries) {
    if (entry.kind === 'set') addSet(tables, entry)
    if (entry.kind === 'map') addMap(tables, entry)
  }
  for (const entry of entries) if (entry.kind === 'rule') addRule(tables, entry)
  return { 4: orderBaseChains(bases[4]), 6: orderBaseChains(bases[6]) }
}

function readEntry(place: Place, value: unknown): Entry {
  const [kind, body] = tagAt(place, value)
  const here = at(place, kind)
  if (kind === 'metainfo') return { kind, place: here, body: {} }
  const known = kind === 'set' || kind === 'map' ? setKeys : keys[kind]
  if (known === undefined) return refuse(place, value, 'table, chain, set, map or rule')
  return { kind, place: here, body: objectAt(here, body, known) }
}

function addTable(tables: Map<string, NftTable>, { place, body }: Entry): void {
  const family = stringAt(at(place, 'family'), body.family)
  if (!['ip', 'ip6', 'inet'].includes(family)) refuse(at(place, 'family'), family, 'ip, ip6, inet')
  const name = stringAt(at(place, 'name'), body.name)
  tables.set(`${family} ${name}`, {
    family,
    name,
    chains: new Map(),
    sets: new Map(),
    dataMaps: new Map(),
    verdictMaps: new Map(),
  })
}

function tableOf(tables: ReadonlyMap<string, NftTable>, { place, body }: Entry): NftTable {
  const key = `${String(body.family)} ${String(body.table)}`
  return tables.get(key) ?? refuse(at(place, 'table'), key, 'a table that is listed')
}

function addChain(
  tables: ReadonlyMap<string, NftTable>,
  entry: Entry,
  bases: Record<Family, BaseChain[]>,
): void {
  const table = tableOf(tables, entry)
  const { place, body } = entry
  const chain: Chain = { name: stringAt(at(place, 'name'), body.name), rules: [] }
  table.chains.set(chain.name, chain)
  if (body.hook === undefined) return
  const base = decodeBase(place, body, chain)
  if (table.family !== 'ip6') bases[4].push(base)
  if (table.family !== 'ip') bases[6].push(base)
}

const hookNames: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'postrouting']

function decodeBase(place: Place, body: JsonObject, chain: Chain): BaseChain {
  const { type, policy, prio } = body
  const hook = hookNames.find((name) => name === body.hook)
  if (hook === undefined) return refuse(at(place, 'hook'), body.hook, hookNames.join(', '))
  if (type !== 'filter' && type !== 'nat') return refuse(at(place, 'type'), type, 'filter or nat')
  if (policy !== 'accept' && policy !== 'drop') {
    return refuse(at(place, 'policy'), policy, 'accept or drop')
  }
  if (typeof prio !== 'number') return refuse(at(place, 'prio'), prio, 'a number')
  return { hook, type, policy, priority: prio, chain }
}

function addSet(tables: ReadonlyMap<string, NftTable>, entry: Entry): void {
  const { place, body } = entry
  const timeout = decodeTimeout(place, body)
  // Elements that packets added (affinity) belong to the past of the recorded machine.
  const elements = timeout === undefined ? (body.elem ?? []) : []
  tableOf(tables, entry).sets.set(
    stringAt(at(place, 'name'), body.name),
    indexElements(decodeSetElements(at(place, 'elem'), elements), timeout ?? 0),
  )
}

function addMap(tables: ReadonlyMap<string, NftTable>, entry: Entry): void {
  const { place, body } = entry
  const table = tableOf(tables, entry)
  const name = stringAt(at(place, 'name'), body.name)
  const timeout = decodeTimeout(place, body)
  const elements = timeout === undefined ? (body.elem ?? []) : []
  const where = at(place, 'elem')
  if (body.map === 'verdict') {
    const decodeData = (here: Place, data: unknown) => decodeVerdict(table, here, data)
    table.verdictMaps.set(name, indexElements(decodeMapElements(where, elements, decodeData), 0))
  } else {
    table.dataMaps.set(name, indexElements(decodeMapElements(where, elements, decodeConstant), 0))
  }
}

function addRule(tables: ReadonlyMap<string, NftTable>, entry: Entry): void {
  const { place, body } = entry
  const table = tableOf(tables, entry)
  const name = stringAt(at(place, 'chain'), body.chain)
  const chain = table.chains.get(name) ?? refuse(at(place, 'chain'), name, 'a chain of the table')
  chain.rules.push(
    listAt(at(place, 'expr'), body.expr).map((statement, index) =>
      decodeStatement(table, at(place, 'expr', index), statement),
    ),
  )
}
