import { tableName as ipvsTableName } from '../ipvs/filter-rules.ts'
import { destroySets } from '../netlink/ipset.ts'
import { hasTable } from '../netlink/nftables/has-object.ts'
import { hasIptablesRules } from '../proxy/iptables/has-iptables-rules.ts'
import { findKubeProxy } from '../proxy/original/find-kube-proxy.ts'
import { originalSets } from '../proxy/original/original-sets.ts'
import { removeChains } from '../proxy/original/remove-chains.ts'
import { removeTables } from '../proxy/original/remove-tables.ts'
import { removeVirtualServers } from '../proxy/original/remove-virtual-servers.ts'
import { failure } from './cli-error.ts'
import { requireNetAdmin } from './require-net-admin.ts'
import type { CliIo } from './subcommand.ts'

/** `portolan proxy --cleanup-kube-proxy`: removes what a kube-proxy that is gone has left, in all its modes.
 *  Throws a failure while one is running. What our own iptables and ipvs mode write has the same names: it
 *  stays. */
export async function cleanUpKubeProxy(io: CliIo): Promise<void> {
  requireNetAdmin()
  const running = findKubeProxy()
  if (running.length > 0) {
    throw failure(
      `--cleanup-kube-proxy: kube-proxy is running (process ${running.join(', ')}) and would write ` +
        'its rules again; end it first',
    )
  }
  const removed: string[] = []
  const count = (number: number, what: string): void => {
    if (number > 0) removed.push(`${number} ${what}`)
  }
  count(removeTables(), 'tables')
  if (await hasIptablesRules()) io.out(kept('iptables'))
  else count(await removeChains(), 'chains')
  if (hasTable(ipvsTableName)) io.out(kept('ipvs'))
  else count(removeVirtualServers(), 'virtual servers and interfaces')
  count(destroySets(originalSets), 'sets')
  io.out(
    removed.length === 0
      ? 'nothing of kube-proxy was there\n'
      : `removed ${removed.join(', ')} of kube-proxy\n`,
  )
}

/** Not a warning of a fault: this program took over in place. */
function kept(mode: 'iptables' | 'ipvs'): string {
  return (
    `the ${mode} rules in the kernel are those of this program, they stay; ` +
    `--cleanup --proxy-mode ${mode} removes them\n`
  )
}
