import type { Family } from '../../src/net/address.ts'
import { iptablesRules, staleChains } from './kube-proxy-iptables.ts'
import { nftablesRules } from './kube-proxy-nftables.ts'
import type { LabService } from './lab-objects.ts'
import type { NetworkLab } from './network-lab.ts'
import { type IptablesInfix, saveText } from './node-rules.ts'

/** What kube-proxy has in the node for one service. Written for these tests, with its names and in its
 *  form, because its binary is not on most machines. */
export interface KubeProxyRules {
  readonly title: string
  /** Writes what a full synchronisation of kube-proxy writes. */
  install(lab: NetworkLab): void
}

const families: readonly Family[] = [4, 6]

/** kube-proxy in iptables mode. */
export function kubeProxyIptables(infix: IptablesInfix): KubeProxyRules {
  return {
    title: `kube-proxy's ${infix} rules`,
    install(lab) {
      for (const family of families) {
        const program = `${family === 4 ? 'iptables' : 'ip6tables'}-${infix}`
        const { chains, jumps } = iptablesRules(family)
        // Its chains are made and filled first, then what leads to them, unless it is there.
        const stale = staleChains(saveText(lab, infix, family))
        pipe(lab, `${chains}${stale}`, `${program}-restore`, '--noflush')
        for (const [table, chain, rule] of jumps) {
          const script = `${program} -t ${table} -C ${chain} ${rule} 2>/dev/null ||
            ${program} -t ${table} -I ${chain} ${rule}`
          lab.run('node', 'sh', '-c', script)
        }
      }
    },
  }
}

/** kube-proxy in nftables mode. */
export const kubeProxyNftables: KubeProxyRules = {
  title: "kube-proxy's nftables",
  install(lab) {
    for (const family of families) pipe(lab, nftablesRules(family), 'nft', '-f', '-')
  },
}

/** The service that these rules serve, for the manifests of ours. */
export const takenService = {
  name: 'web',
  clusterIPs: ['10.96.8.1', 'fd00:10:96::801'],
  pods: ['a', 'c'],
  nodePort: 30_050,
} as const satisfies LabService

function pipe(lab: NetworkLab, input: string, ...command: readonly string[]): void {
  lab.run('node', 'sh', '-c', `${command.join(' ')} <<'END'\n${input}END\n`)
}
