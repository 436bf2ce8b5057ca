import type { Family } from '../../net/address.ts'
import type { Prefix } from '../../net/prefix.ts'
import type { Protocol } from '../../net/protocol.ts'

/** Who opens a connection, seen from this node. `pod`: what the local-mode detector calls local
 *  traffic; `node`: a process of this node itself; `outside`: everything else. */
export type SourceClass = 'pod' | 'node' | 'outside'

/** Where new flows of a frontend can go. */
export interface Backend {
  /** Canonical address. */
  readonly address: string
  readonly port: number
  /** The endpoint runs on this node. */
  readonly isLocal: boolean
}

/** Why exactly these endpoints are in a pool. `ready`: all ready ones (of this node, for a local pool);
 *  `same-zone`, `same-node`: the ready ones that topology hints give to this node; `terminating`: nothing
 *  is ready, so those that still serve while they end. */
export type PoolSelection = 'ready' | 'same-zone' | 'same-node' | 'terminating'

/** Backends that are balanced over as one; frontends of one service port share pools. */
export interface Pool {
  /** `namespace/name:portName/PROTOCOL/cluster` or `.../local` and `/4` or `/6`: unique in the plan and
   *  stable over restarts. */
  readonly key: string
  readonly family: Family
  readonly protocol: Protocol
  /** Sorted by address text, then port; never holds the same address and port twice. */
  readonly backends: readonly [Backend, ...Backend[]]
  /** ClientIP affinity in seconds; 0: none. */
  readonly affinitySeconds: number
  /** For people only (trace); absent means `ready`. */
  readonly selection?: PoolSelection
}

/** What happens to a new flow. Hairpin flows (a backend of this node that reaches itself) are always
 *  masqueraded; a pod of another node that is sent back to itself is not, as in kube-proxy's nftables mode
 *  (its iptables mode does it). */
export type Action =
  | { readonly kind: 'balance'; readonly pool: Pool; readonly masquerade: 'always' | 'hairpin' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'reject' }

/** Which field of the Service made a frontend. */
export type FrontendKind = 'cluster-ip' | 'external-ip' | 'load-balancer' | 'node-port'

/** One address and port that clients connect to. */
export interface Frontend {
  /** `namespace/name` of the service. */
  readonly service: string
  readonly portName: string
  readonly kind: FrontendKind
  readonly family: Family
  /** Undefined for node ports: every node-port address of this node (NodePlan.nodePortAddresses). */
  readonly address: string | undefined
  readonly protocol: Protocol
  readonly port: number
  /** Only these sources may connect, others are dropped (and before `actions` is looked at);
   *  undefined: everybody may. */
  readonly sourceRanges: readonly Prefix[] | undefined
  readonly actions: Readonly<Record<SourceClass, Action>>
  /** UDP only: addresses of all endpoints of the port that serve, sorted. Flows that are tracked to one of
   *  them go on, whatever policy, topology and termination say about new ones. */
  readonly servingAddresses?: readonly string[]
}

/** Identity of a frontend among all frontends: `4/TCP/10.96.0.1:80`, node ports `4/TCP/*:30080`. */
export function frontendKey(
  frontend: Pick<Frontend, 'family' | 'protocol' | 'address' | 'port'>,
): string {
  return `${frontend.family}/${frontend.protocol}/${frontend.address ?? '*'}:${frontend.port}`
}

/** What a service's health-check node port answers (healthCheckNodePort). */
export interface ServiceHealth {
  readonly port: number
  /** Distinct addresses of ready endpoints on this node, of the family that has most of them. */
  readonly localEndpoints: number
}

/** Everything that one service asks of this node. */
export interface ServicePlan {
  readonly service: string
  readonly frontends: readonly Frontend[]
  /** Each pool that a frontend's action names, once. */
  readonly pools: readonly Pool[]
  readonly health: ServiceHealth | undefined
}

/** How flows of local pods are recognised (KubeProxyConfiguration.detectLocalMode). */
export type PodDetector =
  | { readonly kind: 'none' }
  | { readonly kind: 'prefixes'; readonly prefixes: readonly Prefix[] }
  | { readonly kind: 'interface'; readonly name: string; readonly match: 'exact' | 'prefix' }

/** What is true of the whole node, independent of services. */
export interface NodePlan {
  readonly families: readonly Family[]
  readonly podDetector: PodDetector
  /** Masquerade cluster addresses for every source (nftables.masqueradeAll). */
  readonly masqueradeAll: boolean
  /** The mark bit that asks for masquerade, as a mask (1 << masqueradeBit). */
  readonly masqueradeMark: number
  /** Node ports answer on these addresses of this node only; `any-local`: on all but loopback. */
  readonly nodePortAddresses: 'any-local' | readonly string[]
  /** Ranges that cluster addresses come from (ServiceCIDR objects). A flow to an address in them that
   *  no service has is dropped; empty: not known, such flows are untouched. */
  readonly serviceRanges: readonly Prefix[]
}

/** What the rules of a service need to know about this node, its identity and its topology. */
export interface NodeIdentity {
  readonly nodeName: string
  /** Label topology.kubernetes.io/zone; empty: unknown. */
  readonly zone: string
  /** The node's addresses, the main one of each family first (status.addresses: InternalIP). A source range
   *  that holds the main address of its family admits the load balancer's own addresses. */
  readonly addresses: readonly string[]
}

/** One changed service: what was planned before and what is now. */
export interface PlanChange {
  readonly service: string
  readonly before: ServicePlan | undefined
  readonly after: ServicePlan | undefined
}
