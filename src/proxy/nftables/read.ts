import type { ByteString } from '../../net/byte-string.ts'
import type { NftablesConnection } from '../../netlink/nftables/connection.ts'
import type { SetElement, TableFamily } from '../../netlink/nftables/objects.ts'
import { readHostWord } from '../../ruleset/element-keys.ts'
import type { SetElements } from '../../ruleset/element-sink.ts'
import { readStructure } from '../../ruleset/read-structure.ts'
import type { TableStructure } from '../../ruleset/table-structure.ts'
import { isServicePool, poolSets, tableName } from './compile.ts'
import type { PoolElements } from './pool-elements.ts'
import { largestPool } from './tiers.ts'

/** A table as the kernel has it. */
export interface KernelTable {
  readonly structure: TableStructure
  /** Elements of all sets but those of pools and those that packets write. */
  readonly elements: SetElements
  readonly pools: ReadonlyMap<number, PoolElements>
  /** Elements of pool sets that cannot be of ours, to be removed. */
  readonly strays: readonly { readonly set: string; readonly element: SetElement }[]
}

interface ReadPool {
  readonly number: number
  kind: number | undefined
  comment: string | undefined
  readonly slots: (ByteString | undefined)[]
  readonly stickySlots: (number | undefined)[]
  readonly endpoints: Map<number, ByteString>
}

/** Reads our table of a family; undefined when there is none. */
export function readTable(
  connection: NftablesConnection,
  family: TableFamily,
): KernelTable | undefined {
  const structure = readStructure(connection, family, tableName)
  if (structure === undefined) return undefined
  const elements = new Map<string, Map<string, SetElement>>()
  const reader = new PoolReader()
  for (const set of structure.sets) {
    if (set.isDynamic) continue
    const found = new Map<string, SetElement>()
    elements.set(set.name, found)
    const isOfPools = poolSets.has(set.name)
    connection.forEachElement(family, tableName, set.name, (key, value, comment, rest) => {
      if (isOfPools && rest === undefined && reader.take(set.name, key, value, comment)) return
      const element: SetElement = {
        key,
        ...(value === undefined ? {} : { value }),
        ...(comment === undefined ? {} : { comment }),
        ...rest,
      }
      if (isOfPools && (set.name !== 'pools' || isServicePool(element)))
        reader.strays.push({ set: set.name, element })
      else found.set(key, element)
    })
  }
  return { structure, elements, pools: reader.pools, strays: reader.strays }
}

/** Puts the elements of pools together again. */
class PoolReader {
  readonly pools = new Map<number, ReadPool>()
  readonly strays: { readonly set: string; readonly element: SetElement }[] = []

  /** False: the element is none of a service's pool. */
  take(
    set: string,
    key: ByteString,
    value: ByteString | undefined,
    comment: string | undefined,
  ): boolean {
    if (value === undefined) return false
    if (set === 'pools') {
      if (!isServicePool({ key })) return false
      const pool = this.#pool(readHostWord(key))
      pool.kind = readHostWord(value)
      pool.comment = comment
      return true
    }
    const pool = this.#pool(readHostWord(key))
    const number = readHostWord(key, 4)
    if (set === 'endpoints') {
      pool.endpoints.set(number, value)
      return true
    }
    if (number >= largestPool) return false
    if (set === 'slots') put(pool.slots, number, value)
    else put(pool.stickySlots, number, readHostWord(value))
    return true
  }

  #pool(number: number): ReadPool {
    let pool = this.pools.get(number)
    if (pool === undefined) {
      pool = {
        number,
        kind: undefined,
        comment: undefined,
        slots: [],
        stickySlots: [],
        endpoints: new Map(),
      }
      this.pools.set(number, pool)
    }
    return pool
  }
}

/** Elements come in any order: the list grows without holes that engines treat as sparse. */
function put<T>(list: (T | undefined)[], index: number, value: T): void {
  while (list.length < index) list.push(undefined)
  list[index] = value
}
