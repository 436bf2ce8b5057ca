import type { Family } from '../../net/address.ts'
import type { NftablesConnection } from '../../netlink/nftables/connection.ts'
import { isOwnChain } from './chain-names.ts'
import { tableFamilies } from './netlink-writer.ts'
import { type KernelTables, readSave } from './read-save.ts'
import { tableNames } from './rule.ts'
import { type IptablesPrograms, runProgram } from './run-program.ts'

const nothing: KernelTables = { filter: new Map(), nat: new Map() }

/** Reads what the kernel holds of a family. With a connection it looks first whether there is any chain of
 *  ours, and starts no program when there is none: on a node that is new. */
export async function readKernel(
  family: Family,
  programs: IptablesPrograms,
  connection: NftablesConnection | undefined,
): Promise<KernelTables> {
  if (connection !== undefined && !hasOwnChain(connection, family)) return nothing
  const program = programs.save[family]
  return readSave(await runProgram(program, []), program)
}

function hasOwnChain(connection: NftablesConnection, family: Family): boolean {
  return tableNames.some((table) =>
    connection.listChains(tableFamilies[family], table).some(({ name }) => isOwnChain(name)),
  )
}
