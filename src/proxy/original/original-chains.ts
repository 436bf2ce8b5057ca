/** Tables of iptables in which kube-proxy has chains. */
export const originalTables = ['mangle', 'filter', 'nat'] as const

/** One of them. */
export type OriginalTable = (typeof originalTables)[number]

/** Chains that the clean-up of kube-proxy 1.36 removes, of its modes iptables and ipvs: pkg/proxy/iptables
 *  and pkg/proxy/ipvs, cleanup.go. Chains of the kubelet have similar names and stay. */
const names: Readonly<Record<OriginalTable, ReadonlySet<string>>> = {
  mangle: new Set(['KUBE-PROXY-CANARY']),
  filter: new Set([
    'KUBE-SERVICES',
    'KUBE-EXTERNAL-SERVICES',
    'KUBE-FORWARD',
    'KUBE-NODEPORTS',
    'KUBE-PROXY-FIREWALL',
    'KUBE-PROXY-CANARY',
    'KUBE-NODE-PORT',
    'KUBE-SOURCE-RANGES-FIREWALL',
    'KUBE-IPVS-FILTER',
    'KUBE-IPVS-OUT-FILTER',
  ]),
  nat: new Set([
    'KUBE-SERVICES',
    'KUBE-NODEPORTS',
    'KUBE-POSTROUTING',
    'KUBE-MARK-MASQ',
    'KUBE-PROXY-CANARY',
    'KUBE-NODE-PORT',
    'KUBE-LOAD-BALANCER',
  ]),
}

/** Chains of single services and endpoints. */
const ofServices = /^KUBE-(?:SVC|SVL|SEP|FW|EXT)-/

/** Whether the clean-up of kube-proxy removes a chain. */
export function isOriginalChain(table: OriginalTable, chain: string): boolean {
  return names[table].has(chain) || (table === 'nat' && ofServices.test(chain))
}
