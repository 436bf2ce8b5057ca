import { type Clock, delay } from '../../kube/clock.ts'
import type { ClusterSource } from '../../kube/store.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Corefile } from '../corefile/check-corefile.ts'
import { type BuiltBlock, buildServers, type DnsListener } from '../plugins/build-servers.ts'
import type { ChainParts } from '../plugins/chain-parts.ts'
import { followedSearch } from '../plugins/followed-search.ts'
import { systemParts } from '../plugins/system-parts.ts'
import type { UdpEngine } from '../upstream/udp-pool.ts'
import type { ClusterNames } from '../zone/cluster-names.ts'
import { kubernetesPlugin } from '../zone/kubernetes-plugin.ts'
import { type WatchedNames, watchNames } from './watch-names.ts'

/** What a Corefile is turned into a server with. */
export interface GenerationParts {
  /** The cluster's state, for `kubernetes`. */
  readonly source: ClusterSource
  readonly logger: Logger
  /** Carries queries to upstreams over UDP. */
  readonly reactor: UdpEngine
  /** See `UpstreamInputs.randomizesCase`. */
  readonly randomizesCase: boolean
  /** Addresses of this machine that clients reach it at, canonical. */
  readonly localAddresses: () => readonly string[]
  readonly cacheObserver: ChainParts['cacheObserver']
  readonly forwardObserver: ChainParts['forwardObserver']
}

/** One Corefile in force: its listeners without sockets, and what works beside them. */
export interface DnsGeneration {
  readonly listeners: readonly DnsListener[]
  readonly blocks: readonly BuiltBlock[]
  readonly names: readonly ClusterNames[]
  /** Time of the chains, for leases. */
  readonly nowMs: () => number
  /** Resolves when the cluster was listed, or when its `startup_timeout` is over. */
  readonly ready: Promise<void>
  /** Rejects when a part of it cannot go on; never resolves. */
  readonly failed: Promise<never>
  /** Ends watches, checks and connections to upstreams. */
  close(): void
}

/** Where this machine's resolver searches, and so its pods with `dnsPolicy: Default`. */
const resolvConf = { path: '/etc/resolv.conf', intervalMs: 5_000 } as const

/** Builds the plugins of a Corefile and starts what they watch. Throws a CorefileError when something that it
 *  names is not there. */
export function openGeneration(corefile: Corefile, parts: GenerationParts): DnsGeneration {
  const ending = new AbortController()
  const { reactor, randomizesCase } = parts
  const system = systemParts({ randomizesCase, reactor })
  const search = followedSearch(resolvConf, system.clock, ending.signal)
  const watched: WatchedNames[] = []
  const { promise: failed, reject } = Promise.withResolvers<never>()
  // Nobody may be waiting yet, or any more.
  failed.catch(() => {})
  try {
    const listeners = buildServers(corefile, {
      ...system,
      log: parts.logger,
      kubernetes: (settings) => {
        const cluster = watchNames(parts.source, settings, ending.signal)
        watched.push(cluster)
        const { localAddresses } = parts
        return kubernetesPlugin(settings, {
          names: cluster.names,
          localAddresses,
          searchDomains: search,
        })
      },
      onLoop: (reason) => reject(new Error(reason)),
      cacheObserver: parts.cacheObserver,
      forwardObserver: parts.forwardObserver,
    })
    const blocks = [...new Set(listeners.flatMap((listener) => listener.blocks))]
    const running = [
      ...watched.map(({ ended }) => ended),
      ...blocks.flatMap(({ chain }) => chain.plugins.map((plugin) => plugin.run?.(ending.signal))),
    ]
    for (const run of running) run?.catch(reject)
    return {
      listeners,
      blocks,
      names: watched.map(({ names }) => names),
      nowMs: () => system.clock.now(),
      ready: readiness(watched, blocks, system.clock, ending.signal),
      failed,
      close: () => ending.abort(),
    }
  } catch (error) {
    ending.abort()
    throw error
  }
}

/** Without the cluster everything else is answered, and its names fail instead of being denied. */
async function readiness(
  watched: readonly WatchedNames[],
  blocks: readonly BuiltBlock[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const timeouts = blocks.flatMap(({ settings }) =>
    (settings.settings.kubernetes ?? []).map(({ startupTimeoutMs }) => startupTimeoutMs),
  )
  const waiting = new AbortController()
  const timeout = delay(clock, Math.max(0, ...timeouts), AbortSignal.any([signal, waiting.signal]))
  await Promise.race([Promise.all(watched.map(({ synced }) => synced)), timeout])
  waiting.abort()
}
