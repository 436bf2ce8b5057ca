import { NetlinkError } from '../netlink-error.ts'
import { NftablesConnection } from './connection.ts'
import type { TableFamily } from './objects.ts'

/** Whether there is a table of this name, in a family that ours may have. False where the kernel has no
 *  nf_tables or does not let us look. */
export function hasTable(name: string): boolean {
  return look((connection) => connection.listTables().some((table) => table.name === name))
}

/** The same for a chain of a table. */
export function hasChain(family: TableFamily, table: string, name: string): boolean {
  return look((connection) =>
    connection.listChains(family, table).some((chain) => chain.name === name),
  )
}

function look(find: (connection: NftablesConnection) => boolean): boolean {
  try {
    const connection = NftablesConnection.open()
    try {
      return find(connection)
    } finally {
      connection.close()
    }
  } catch (error) {
    if (error instanceof NetlinkError) return false
    throw error
  }
}
