import { type NftablesChange, watchNftables } from '../../netlink/nftables/watch-nftables.ts'
import { isOwnChain } from './chain-names.ts'

/** Calls back when a commit of somebody else changed a chain of ours, or took rules out of a built-in
 *  chain, in the nf_tables variant. Needs CAP_NET_ADMIN. */
export function watchTables(
  isOwnCommit: (processId: number, portId: number) => boolean,
  onDrift: (what: string) => void,
  signal: AbortSignal,
): void {
  // The commit that objects belong to comes after them.
  let pending: string | undefined
  watchNftables((change) => {
    if (change.type === 'overrun') onDrift('notifications of the kernel were lost')
    else if (change.type !== 'commit') pending ??= describe(change)
    else {
      const what = pending
      pending = undefined
      if (what !== undefined && !isOwnCommit(change.processId ?? 0, change.portId)) onDrift(what)
    }
  }, signal)
}

const tables: ReadonlySet<string | undefined> = new Set(['nat', 'filter'])

function describe({ type, family, table, chain }: NftablesChange): string | undefined {
  if (!tables.has(table)) return undefined
  const isLoss = type === 'delete table' || type === 'delete rule'
  if (chain === undefined ? !isLoss : !isOwnChain(chain) && !isLoss) return undefined
  return `${type} in table ${family} ${table}${chain === undefined ? '' : ` chain ${chain}`}`
}
