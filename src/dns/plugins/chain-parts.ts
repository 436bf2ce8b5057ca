import type { Clock } from '../../kube/clock.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Plugin } from '../chain/plugin.ts'
import type { ForwardSettings, ForwardTarget } from '../corefile/decode-forward.ts'
import type { Listener } from '../corefile/decode-health.ts'
import type { KubernetesSettings } from '../corefile/decode-kubernetes.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { DnsName } from '../wire/name.ts'
import type { CacheObserver } from './cache-observer.ts'
import type { ForwardObserver } from './forward-observer.ts'

/** What a chain is made of beside its settings: the world, so that tests and the golden comparison can
 *  bring their own. */
export interface ChainParts {
  readonly clock: Clock
  /** Milliseconds that only grow, with fractions: durations in the query log. */
  readonly monotonicMs: () => number
  /** From 0 up to, but not, 1. */
  readonly random: () => number
  readonly log: Logger
  /** Answers about the cluster. */
  readonly kubernetes: (settings: KubernetesSettings) => Plugin
  /** Opens one upstream. */
  readonly openUpstream: (
    target: Extract<ForwardTarget, { kind: 'server' }>,
    settings: ForwardSettings,
  ) => Upstream
  /** The text of a file (resolv.conf, zone files); undefined when it cannot be read. */
  readonly readFile: (path: string) => string | undefined
  /** Name of this machine, for `nsid`. */
  readonly hostName: string
  /** Sends a query to a listener of this server, for `loop`; an empty host is any own address. Rejects
   *  when nothing answers. */
  readonly askListener: (listener: Listener, name: DnsName, type: number) => Promise<void>
  /** Addresses of an interface of this machine, for `bind`; undefined: there is no such interface. */
  readonly interfaceAddresses: (name: string) => readonly string[] | undefined
  /** Forwarding is a circle: the process should end with this reason. */
  readonly onLoop: (reason: string) => void
  readonly cacheObserver: CacheObserver
  readonly forwardObserver: ForwardObserver
}
