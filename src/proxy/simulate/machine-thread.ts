import type { ByteString } from '../../net/byte-string.ts'
import type { Hook, Rule, SetDefinition } from '../../netlink/nftables/objects.ts'
import { MachineError } from './machine-error.ts'
import type { Packet } from './machine-packet.ts'
import type { ProgramView, TableView } from './program-view.ts'

/** What a packet carries from rule to rule. One thread is one way that chance may take. */
export interface Thread {
  readonly mark: number
  /** Timeout of the last element that the packet wrote, milliseconds; 0: none written. */
  readonly timeoutMs: number
  /** Elements that the packet wrote (a value) or deleted (undefined), by `set/key`. */
  readonly writes: ReadonlyMap<string, ByteString | undefined>
  readonly trail: Trail | undefined
}

/** Names of what the thread met, last first. */
export interface Trail {
  readonly entry: string
  readonly before: Trail | undefined
}

/** A table, prepared for look-ups by name. */
export interface TableIndex {
  readonly view: TableView
  readonly rules: ReadonlyMap<string, readonly Rule[]>
  readonly sets: ReadonlyMap<string, SetDefinition>
}

/** What does not change while one base chain runs. */
export interface Scene {
  readonly table: TableIndex
  readonly hook: Hook
  readonly packet: Packet
  /** A rule of an earlier hook has translated the destination (ct status dnat). */
  readonly isRedirected: boolean
  /** The node's own addresses, canonical. */
  readonly localAddresses: ReadonlySet<string>
  /** Whether dynamic sets hold what the program view says, or nothing (a client never seen before). */
  readonly dynamicElements: 'given' | 'empty'
  readonly budget: Budget
}

/** Expressions that may still run; stops a program whose ways multiply without end. */
export interface Budget {
  remaining: number
}

/** A program made ready for many flows. It is a picture of the program at that time. */
export interface ProgramIndex {
  readonly indexes: readonly TableIndex[]
}

/** Builds the index of a program: linear in its rules. Throws MachineError for a rule without a chain. */
export function indexProgram(program: ProgramView): ProgramIndex {
  return { indexes: program.tables.map(indexTable) }
}

/** Groups the rules of a table by chain. */
function indexTable(view: TableView): TableIndex {
  const rules = new Map<string, Rule[]>(view.chains.map((chain) => [chain.name, []]))
  for (const rule of view.rules) {
    const list = rules.get(rule.chain)
    if (list === undefined) {
      throw new MachineError(
        tablePlace(view),
        `a rule stands in chain ${rule.chain}, which is not there`,
      )
    }
    list.push(rule)
  }
  return { view, rules, sets: new Map(view.sets.map((set) => [set.name, set])) }
}

/** `table ip portolan`, for messages. */
export function tablePlace(view: TableView): string {
  return `table ${view.table.family} ${view.table.name}`
}

/** Adds a name to the thread's trail. */
export function withEntry(trail: Trail | undefined, entry: string): Trail {
  return { entry, before: trail }
}

/** The trail as a list, outermost first. */
export function trailEntries(trail: Trail | undefined): string[] {
  const entries: string[] = []
  for (let at = trail; at !== undefined; at = at.before) entries.push(at.entry)
  return entries.reverse()
}

/** Equal texts: nothing that runs later can tell the threads apart. */
export function threadKey(thread: Thread): string {
  if (thread.writes.size === 0) return `${thread.mark}/${thread.timeoutMs}`
  return `${thread.mark}/${thread.timeoutMs}/${JSON.stringify([...thread.writes].sort())}`
}
