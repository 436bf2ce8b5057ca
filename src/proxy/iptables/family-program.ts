import type { Family } from '../../net/address.ts'
import type { NodePlan, PlanChange, ServicePlan } from '../plan/plan.ts'
import { compileService, type RuleStyle } from './compile-service.ts'
import { compileStructure, type RootName, roots } from './compile-structure.ts'
import { DispatchTree, type Touch } from './dispatch-tree.ts'
import type { FilledChain, HookRule, Rule, TableName } from './rule.ts'
import { type PlacedLeaf, serviceLeaves } from './service-leaves.ts'

/** A chain as it shall be. */
export interface ChangedChain extends FilledChain {
  /** The rules before; undefined: there was no such chain, or it is not known. */
  readonly before?: readonly Rule[] | undefined
}

/** Chains that differ. */
export interface ProgramChanges {
  /** Each chain stands before those that lead to it. */
  readonly filled: readonly ChangedChain[]
  /** Chains that shall be no more. */
  readonly removed: readonly Pick<FilledChain, 'table' | 'name'>[]
}

/** Rules before the change, by chain. */
type TouchedChains = Map<RootName, Map<string, readonly Rule[] | undefined>>

type HasRules = Pick<FilledChain, 'rules'>

/** Roots in an order in which each stands before those that lead to it. */
const rootNames: readonly RootName[] = [
  'refusedSources',
  'healthPorts',
  'refusedServices',
  'refusedPorts',
  'refusedExternal',
  'nodePorts',
  'services',
]

/** The rules of one address family: constant chains, the chains of each service, and the trees that lead
 *  to them. The trees are kept, all else is compiled when it is asked for. */
export class FamilyProgram {
  readonly family: Family
  /** Rules in built-in chains. */
  readonly hooks: readonly HookRule[]
  readonly #node: NodePlan
  readonly #style: RuleStyle
  /** By `table chain`. */
  readonly #constant: ReadonlyMap<string, FilledChain>
  readonly #trees: Readonly<Record<RootName, DispatchTree>>

  constructor(family: Family, node: NodePlan, style: RuleStyle = { hasEndpointComments: true }) {
    this.family = family
    this.#node = node
    this.#style = style
    const { chains, hooks } = compileStructure(node, family)
    this.hooks = hooks
    this.#constant = new Map(chains.map((chain) => [chainKey(chain), chain]))
    this.#trees = {
      services: new DispatchTree('nat'),
      nodePorts: new DispatchTree('nat'),
      refusedServices: new DispatchTree('filter'),
      refusedExternal: new DispatchTree('filter'),
      refusedPorts: new DispatchTree('filter'),
      refusedSources: new DispatchTree('filter'),
      healthPorts: new DispatchTree('filter'),
    }
  }

  /** Takes over services that are new to the program. */
  load(services: Iterable<ServicePlan>): void {
    for (const plan of services) {
      for (const placed of this.#leaves(plan).values()) this.#place(placed, () => {})
    }
  }

  /** Replaces services; says which chains that changes. `before` must be what was given last. */
  update(changes: readonly PlanChange[]): ProgramChanges {
    const before = new Map<string, FilledChain>()
    const after = new Map<string, FilledChain>()
    for (const change of changes) {
      for (const chain of this.#serviceChains(change.before)) before.set(chain.name, chain)
      for (const chain of this.#serviceChains(change.after)) after.set(chain.name, chain)
    }
    const filled: ChangedChain[] = []
    for (const chain of after.values()) {
      const present = before.get(chain.name)
      if (!isSame(present, chain)) filled.push({ ...chain, before: present?.rules })
    }
    const removed: Pick<FilledChain, 'table' | 'name'>[] = []
    for (const [root, chains] of this.#replaceLeaves(changes)) {
      for (const name of this.#trees[root].bottomUp(chains.keys())) {
        const chain = this.#treeChain(root, name)
        if (chain !== undefined) filled.push({ ...chain, before: chains.get(name) })
        else if (chains.get(name) !== undefined) removed.push({ table: roots[root].table, name })
      }
    }
    for (const chain of before.values()) if (!after.has(chain.name)) removed.push(chain)
    return { filled, removed }
  }

  /** All chains of a table with these services, which must be those given to `load` and `update`; each
   *  stands before those that lead to it. */
  *chains(services: Iterable<ServicePlan>, table: TableName): Generator<FilledChain> {
    const names = rootNames.filter((root) => roots[root].table === table)
    const rootChains: ReadonlySet<string> = new Set(names.map((root) => roots[root].chain))
    for (const chain of this.#constant.values()) {
      if (chain.table === table && !rootChains.has(chain.name)) yield chain
    }
    if (table === 'nat') for (const plan of services) yield* this.#serviceChains(plan)
    for (const root of names) {
      for (const name of this.#trees[root].bottomUp()) {
        const chain = name === roots[root].chain ? undefined : this.#trees[root].chain(name)
        if (chain !== undefined) yield chain
      }
      const chain = this.#treeChain(root, roots[root].chain)
      if (chain !== undefined) yield chain
    }
  }

  #serviceChains(plan: ServicePlan | undefined): readonly FilledChain[] {
    return plan === undefined ? [] : compileService(plan, this.#node, this.family, this.#style)
  }

  /** Replaces leaves; gives the tree chains that change, with what was in them. What one service gives up
   *  another may take, so all removals come first. */
  #replaceLeaves(changes: readonly PlanChange[]): TouchedChains {
    const touched: TouchedChains = new Map()
    const touch = (root: RootName) => (name: string) => {
      const chains = touched.get(root) ?? new Map()
      touched.set(root, chains)
      if (!chains.has(name)) chains.set(name, this.#treeChain(root, name)?.rules)
    }
    const leaves = changes.map(({ before, after }) => {
      return { old: this.#leaves(before), fresh: this.#leaves(after) }
    })
    for (const { old, fresh } of leaves) {
      for (const [key, { root, path, leaf }] of old) {
        if (fresh.has(key)) continue
        this.#trees[root].delete(roots[root].chain, path, leaf.order, touch(root))
      }
    }
    for (const { old, fresh } of leaves) {
      for (const [key, placed] of fresh) {
        const present = old.get(key)
        if (!isSame(present?.leaf, placed.leaf)) this.#place(placed, touch(placed.root))
      }
    }
    return touched
  }

  #place({ root, path, leaf }: PlacedLeaf, touch: Touch): void {
    this.#trees[root].set(roots[root].chain, path, leaf, touch)
  }

  #leaves(plan: ServicePlan | undefined): ReadonlyMap<string, PlacedLeaf> {
    const leaves = plan === undefined ? [] : serviceLeaves(plan, this.family)
    return new Map(leaves.map((placed) => [`${placed.root} ${placed.leaf.order}`, placed]))
  }

  /** A chain of a tree; a root has the constant rules behind those of its tree. */
  #treeChain(root: RootName, name: string): FilledChain | undefined {
    const { table, chain: rootChain } = roots[root]
    const chain = this.#trees[root].chain(name)
    if (name !== rootChain) return chain
    const constant = this.#constant.get(`${table} ${name}`)?.rules ?? []
    return { table, name, rules: [...(chain?.rules ?? []), ...constant] }
  }
}

function chainKey({ table, name }: FilledChain): string {
  return `${table} ${name}`
}

function isSame(left: HasRules | undefined, right: HasRules): boolean {
  return left !== undefined && JSON.stringify(left.rules) === JSON.stringify(right.rules)
}
