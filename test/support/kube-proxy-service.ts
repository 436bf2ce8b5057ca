import type { Family } from '../../src/net/address.ts'
import { serverPort } from './lab-objects.ts'
import { labAddresses } from './lab-topology.ts'

/** The service of the rules in kube-proxy-iptables.ts and kube-proxy-nftables.ts. */
export interface OriginalService {
  readonly clusterIp: string
  readonly port: number
  readonly nodePort: number
  readonly endpoints: readonly { readonly address: string; readonly port: number }[]
  /** Who is in it needs no masquerading. */
  readonly pods: string
  readonly node: string
}

/** One family of the service. */
export function originalService(family: Family): OriginalService {
  const { podA, podC, nodePods, node } = labAddresses[family]
  return {
    clusterIp: family === 4 ? '10.96.8.1' : 'fd00:10:96::801',
    port: 80,
    nodePort: 30_050,
    endpoints: [podA, podC].map((address) => ({ address, port: serverPort })),
    pods: nodePods,
    node,
  }
}
