import type { FilledChain, Rule, TableName } from './rule.ts'

/** One step down a tree: the chain that it leads to, and how to make the rule in the chain above that leads there. */
export interface Branch {
  readonly chain: string
  /** Place among its siblings, as text. */
  readonly order: string
  readonly makeJump: () => Rule
}

interface PlacedBranch {
  readonly order: string
  readonly jump: Rule
}

/** Rules that a leaf holds for one frontend. */
export interface Leaf {
  /** Identity, and place in the leaf's chain as text. */
  readonly order: string
  readonly rules: readonly Rule[]
}

/** Is told of a chain that is about to change. */
export type Touch = (chain: string) => void

interface Node {
  /** 0 at the root. */
  readonly depth: number
  readonly branches: Map<string, PlacedBranch>
  readonly leaves: Map<string, Leaf>
}

/** Chains that lead packets to rules by ever narrower matches, so that how many rules a packet crosses
 *  grows with the logarithm of their number. A chain exists while something is in it. */
export class DispatchTree {
  readonly #table: TableName
  readonly #nodes = new Map<string, Node>()

  constructor(table: TableName) {
    this.#table = table
  }

  /** Adds or replaces a leaf at the end of a path that begins at `root`; calls `touch` with each chain that
   *  changes, before it does. */
  set(root: string, path: readonly Branch[], leaf: Leaf, touch: Touch): void {
    let chain = root
    for (const [depth, branch] of path.entries()) {
      if (this.#nodes.get(chain)?.branches.has(branch.chain) !== true) {
        touch(chain)
        const placed = { order: branch.order, jump: branch.makeJump() }
        this.#node(chain, depth).branches.set(branch.chain, placed)
      }
      chain = branch.chain
    }
    touch(chain)
    this.#node(chain, path.length).leaves.set(leaf.order, leaf)
  }

  /** Removes a leaf, and the chains that are empty then. */
  delete(root: string, path: readonly Branch[], order: string, touch: Touch): void {
    const last = path.at(-1)?.chain ?? root
    if (this.#nodes.get(last)?.leaves.has(order) !== true) return
    touch(last)
    this.#nodes.get(last)?.leaves.delete(order)
    for (let depth = path.length - 1; depth >= 0; depth--) {
      const chain = path[depth]?.chain ?? root
      const node = this.#nodes.get(chain)
      if (node === undefined || node.branches.size > 0 || node.leaves.size > 0) return
      const parent = path[depth - 1]?.chain ?? root
      touch(parent)
      this.#nodes.delete(chain)
      this.#nodes.get(parent)?.branches.delete(chain)
    }
  }

  /** What is in a chain now; undefined: it does not exist. */
  chain(name: string): FilledChain | undefined {
    const node = this.#nodes.get(name)
    if (node === undefined) return undefined
    const branches = sorted(node.branches.values()).map(({ jump }) => jump)
    const leaves = sorted(node.leaves.values()).flatMap(({ rules }) => rules)
    return { table: this.#table, name, rules: [...branches, ...leaves] }
  }

  /** Chains in an order in which each stands before those that lead to it. */
  bottomUp(names: Iterable<string> = this.#nodes.keys()): readonly string[] {
    const depth = (name: string): number => this.#nodes.get(name)?.depth ?? 0
    return [...names].sort((left, right) => depth(right) - depth(left))
  }

  #node(chain: string, depth: number): Node {
    let node = this.#nodes.get(chain)
    if (node === undefined) {
      node = { depth, branches: new Map(), leaves: new Map() }
      this.#nodes.set(chain, node)
    }
    return node
  }
}

function sorted<T extends { readonly order: string }>(items: Iterable<T>): readonly T[] {
  return [...items].sort((left, right) => (left.order < right.order ? -1 : 1))
}
