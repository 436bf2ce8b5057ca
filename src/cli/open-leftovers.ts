import { tableName as ipvsTableName } from '../ipvs/filter-rules.ts'
import { hasTable } from '../netlink/nftables/has-object.ts'
import type { ProxyConfiguration } from '../proxy/config/proxy-configuration.ts'
import type { ProxyMode } from '../proxy/config/proxy-options.ts'
import { hasIptablesRules } from '../proxy/iptables/has-iptables-rules.ts'
import { tableName as nftablesTableName } from '../proxy/nftables/compile.ts'
import type { Mechanism } from '../proxy/port/mechanism.ts'
import { tableName as userspaceTableName } from '../proxy/userspace/table-rules.ts'
import { openMechanism, proxyModes } from './open-mechanism.ts'

/** Opens the mechanisms of other modes that have left rules of ours in the kernel: this program ran in
 *  another mode before, or ended during a change of mode. */
export async function openLeftovers(
  mode: string,
  configuration: ProxyConfiguration,
): Promise<readonly Mechanism[]> {
  const leftovers: Mechanism[] = []
  for (const other of proxyModes) {
    if (other === mode || !(await hasRules[other]())) continue
    leftovers.push(await openMechanism(other, configuration))
  }
  return leftovers
}

const hasRules: Readonly<Record<ProxyMode, () => boolean | Promise<boolean>>> = {
  nftables: () => hasTable(nftablesTableName),
  iptables: hasIptablesRules,
  ipvs: () => hasTable(ipvsTableName),
  userspace: () => hasTable(userspaceTableName),
  // It asks nothing of the kernel that stays.
  portable: () => false,
}
