import { NftablesConnection } from '../../netlink/nftables/connection.ts'

/** The table of kube-proxy in nftables mode, one of each family. */
const tableName = 'kube-proxy'

/** Removes the nf_tables tables of kube-proxy and returns how many there were. */
export function removeTables(): number {
  const connection = NftablesConnection.open()
  try {
    const families = connection
      .listTables()
      .filter(({ name }) => name === tableName)
      .map(({ family }) => family)
    const batch = connection.newBatch()
    for (const family of families) batch.deleteTable(family, tableName)
    connection.commit(batch)
    return families.length
  } finally {
    connection.close()
  }
}
