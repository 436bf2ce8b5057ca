import { type BindAddress, parseBindAddress } from './bind-address.ts'
import type { ProxyConfiguration } from './proxy-configuration.ts'

/** What the daemon does, with every default decided. */
export interface ProxyOptions {
  readonly mode: ProxyMode
  readonly nodeName: string
  /** Empty: not given. */
  readonly kubeconfig: string
  readonly detectLocal: LocalDetection
  /** Prefixes; `primary`: the node's primary addresses; `any-local`: every address but loopback. */
  readonly nodePortAddresses: 'primary' | 'any-local' | readonly string[]
  /** Overrides the node's primary address; unspecified (0.0.0.0, ::): no override. */
  readonly bindAddress: string
  readonly masqueradeAll: boolean
  /** 1 << masqueradeBit. */
  readonly masqueradeMark: number
  /** 0: every change goes out at once. */
  readonly minSyncPeriodMs: number
  /** Interval of full comparisons with the kernel. */
  readonly syncPeriodMs: number
  /** A queued change older than this makes /healthz and /livez fail. */
  readonly healthTimeoutMs: number
  /** Undefined: no server. */
  readonly healthzAddress: BindAddress | undefined
  readonly metricsAddress: BindAddress | undefined
  readonly bindAddressHardFail: boolean
  readonly configuration: ProxyConfiguration
}

/** How flows reach their endpoints. */
export type ProxyMode = 'nftables' | 'iptables' | 'ipvs' | 'userspace' | 'portable'

/** How local pods are recognised, before the Node object is known. */
export type LocalDetection =
  | { readonly mode: 'ClusterCIDR'; readonly clusterCIDRs: readonly string[] }
  | { readonly mode: 'NodeCIDR' }
  | { readonly mode: 'BridgeInterface'; readonly name: string }
  | { readonly mode: 'InterfaceNamePrefix'; readonly prefix: string }

/** The default ports of the original: pkg/cluster/ports. */
const healthzPort = 10_256
const metricsPort = 10_249

/** The original's syncPeriod; its health checks use twice that. */
const defaultSyncPeriodMs = 30_000

/** Without a configured syncPeriod the kernel is compared with the plan once an hour, the original's
 *  interval for full synchronisations; foreign changes are noticed by notification, not by polling. */
const defaultCompareMs = 3_600_000

const defaultMasqueradeBit = 14

/** Decides every default. `hostname` is this machine's; hostnameOverride goes before it. */
export function resolveProxyOptions(
  configuration: ProxyConfiguration,
  hostname: string,
): ProxyOptions {
  const settings = mechanismSettings(configuration)
  const nodeName = (configuration.hostnameOverride || hostname).trim().toLowerCase()
  const isIpv6 = configuration.bindAddress.includes(':')
  return {
    mode: configuration.mode === '' ? 'nftables' : configuration.mode,
    nodeName,
    kubeconfig: configuration.clientConnection.kubeconfig,
    detectLocal: resolveLocalDetection(configuration),
    nodePortAddresses: resolveNodePortAddresses(configuration),
    bindAddress: configuration.bindAddress,
    masqueradeAll: settings.masqueradeAll,
    masqueradeMark: 2 ** settings.masqueradeBit,
    minSyncPeriodMs: settings.minSyncPeriodMs ?? 0,
    syncPeriodMs: settings.syncPeriodMs || defaultCompareMs,
    healthTimeoutMs: 2 * (settings.syncPeriodMs || defaultSyncPeriodMs),
    healthzAddress: parseBindAddress(
      configuration.healthzBindAddress || (isIpv6 ? '::' : '0.0.0.0'),
      healthzPort,
    ),
    metricsAddress: parseBindAddress(
      configuration.metricsBindAddress || (isIpv6 ? '::1' : '127.0.0.1'),
      metricsPort,
    ),
    bindAddressHardFail: configuration.bindAddressHardFail,
    configuration,
  }
}

/** Where nothing is said, the original's iptables and ipvs modes answer on all addresses, its nftables mode
 *  on the primary ones. */
function resolveNodePortAddresses({
  mode,
  nodePortAddresses,
}: ProxyConfiguration): ProxyOptions['nodePortAddresses'] {
  if (nodePortAddresses.includes('primary')) return 'primary'
  if (nodePortAddresses.length > 0) return nodePortAddresses
  return mode === 'iptables' || mode === 'ipvs' ? 'any-local' : 'primary'
}

interface MechanismSettings {
  readonly masqueradeAll: boolean
  readonly masqueradeBit: number
  readonly minSyncPeriodMs: number | undefined
  readonly syncPeriodMs: number | undefined
}

/** A blank mode is the original's iptables mode, so its section counts then where `nftables` says
 *  nothing: an existing configuration keeps its meaning. The original's ipvs mode masquerades as the iptables
 *  section says. */
function mechanismSettings(configuration: ProxyConfiguration): MechanismSettings {
  const { mode, iptables, ipvs } = configuration
  if (mode === 'ipvs') {
    const { masqueradeAll, masqueradeBit = defaultMasqueradeBit } = iptables
    const { syncPeriod: syncPeriodMs, minSyncPeriod: minSyncPeriodMs } = ipvs
    return { masqueradeAll, masqueradeBit, minSyncPeriodMs, syncPeriodMs }
  }
  const nftables = mode === 'iptables' ? iptables : configuration.nftables
  const fallback = mode === '' ? iptables : undefined
  return {
    masqueradeAll: nftables.masqueradeAll || (fallback?.masqueradeAll ?? false),
    masqueradeBit: nftables.masqueradeBit ?? fallback?.masqueradeBit ?? defaultMasqueradeBit,
    minSyncPeriodMs: nftables.minSyncPeriod ?? fallback?.minSyncPeriod,
    syncPeriodMs: nftables.syncPeriod ?? fallback?.syncPeriod,
  }
}

function resolveLocalDetection(configuration: ProxyConfiguration): LocalDetection {
  const { bridgeInterface, interfaceNamePrefix } = configuration.detectLocal
  switch (configuration.detectLocalMode) {
    case 'NodeCIDR':
      return { mode: 'NodeCIDR' }
    case 'BridgeInterface':
      return { mode: 'BridgeInterface', name: bridgeInterface }
    case 'InterfaceNamePrefix':
      return { mode: 'InterfaceNamePrefix', prefix: interfaceNamePrefix }
    default: {
      const texts = configuration.clusterCIDR.split(',').map((part) => part.trim())
      return { mode: 'ClusterCIDR', clusterCIDRs: texts.filter((part) => part !== '') }
    }
  }
}
