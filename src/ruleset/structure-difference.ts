import { normalizeExpression } from '../netlink/nftables/normalize-expression.ts'
import type { Chain, Hook, Rule, SetDefinition } from '../netlink/nftables/objects.ts'
import type { FilledChain, TableStructure } from './table-structure.ts'

/** What must be written so that a table of the kernel gets the wanted structure. */
export type StructureDifference =
  /** The table is missing, or has a set or hook that cannot be changed in place. */
  | { readonly kind: 'rebuild'; readonly exists: boolean; readonly why: string }
  | {
      readonly kind: 'mend'
      readonly missing: readonly FilledChain[]
      /** Chains whose rules are written anew. */
      readonly changed: readonly FilledChain[]
      readonly extra: readonly Chain[]
    }

/** Compares a table of the kernel with the wanted one. Comments of tables and chains do not count. */
export function compareStructure(
  kernel: TableStructure | undefined,
  wanted: TableStructure,
): StructureDifference {
  if (kernel === undefined) return { kind: 'rebuild', exists: false, why: 'the table is missing' }
  const why = whyRebuild(kernel, wanted)
  if (why !== undefined) return { kind: 'rebuild', exists: true, why }
  const present = new Map(kernel.chains.map((filled) => [filled.chain.name, filled]))
  const names = new Set(wanted.chains.map((filled) => filled.chain.name))
  return {
    kind: 'mend',
    missing: wanted.chains.filter((filled) => !present.has(filled.chain.name)),
    changed: wanted.chains.filter((filled) => {
      const found = present.get(filled.chain.name)
      return found !== undefined && !haveSameRules(found.rules, filled.rules)
    }),
    extra: kernel.chains.map((filled) => filled.chain).filter((chain) => !names.has(chain.name)),
  }
}

/** Whether nothing has to be written. */
export function isSameStructure(difference: StructureDifference): boolean {
  return (
    difference.kind === 'mend' &&
    difference.missing.length + difference.changed.length + difference.extra.length === 0
  )
}

/** How many objects besides elements are written for a difference. */
export function structureOperations(
  structure: StructureDifference,
  wanted: TableStructure,
): number {
  return structure.kind === 'rebuild'
    ? 1 + wanted.sets.length + wanted.chains.length
    : structure.missing.length + structure.changed.length + structure.extra.length
}

function whyRebuild(kernel: TableStructure, wanted: TableStructure): string | undefined {
  const sets = new Map(kernel.sets.map((set) => [set.name, set]))
  for (const set of wanted.sets) {
    const found = sets.get(set.name)
    if (found === undefined) return `set ${set.name} is missing`
    if (!isSameSet(found, set)) return `set ${set.name} has another form`
    sets.delete(set.name)
  }
  const [unexpected] = sets.keys()
  if (unexpected !== undefined) return `set ${unexpected} is not ours`
  const chains = new Map(kernel.chains.map((filled) => [filled.chain.name, filled.chain]))
  for (const { chain } of wanted.chains) {
    const found = chains.get(chain.name)
    if (found !== undefined && !isSameHook(found.hook, chain.hook)) {
      return `chain ${chain.name} has another hook`
    }
  }
  return undefined
}

function isSameSet(left: SetDefinition, right: SetDefinition): boolean {
  const form = (set: SetDefinition): string =>
    JSON.stringify([
      set.keyType,
      set.keyBytes,
      set.data,
      set.isInterval,
      set.isDynamic,
      set.maxElements,
      [...(set.userData ?? [])],
    ])
  return form(left) === form(right)
}

function isSameHook(left: Hook | undefined, right: Hook | undefined): boolean {
  return (
    left?.type === right?.type && left?.hook === right?.hook && left?.priority === right?.priority
  )
}

function haveSameRules(left: readonly Rule[], right: readonly Rule[]): boolean {
  return (
    left.length === right.length &&
    left.every((rule, index) => {
      const other = right[index]
      return other !== undefined && isSameRule(rule, other)
    })
  )
}

function isSameRule(left: Rule, right: Rule): boolean {
  return (
    left.comment === right.comment &&
    left.expressions.length === right.expressions.length &&
    left.expressions.every((expression, index) => {
      const other = right.expressions[index]
      return (
        other !== undefined &&
        expression.name === other.name &&
        isSameValue(normalizeExpression(expression), normalizeExpression(other))
      )
    })
  )
}

/** Decoded attributes are numbers, strings, bytes, big integers and records of them. */
function isSameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (left instanceof Uint8Array) {
    return right instanceof Uint8Array && Buffer.compare(left, right) === 0
  }
  if (!isRecord(left) || !isRecord(right)) return false
  const names = Object.keys(left)
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => isSameValue(left[name], right[name]))
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
