import type { Transport } from '../../../src/dns/chain/request.ts'
import type { Corefile } from '../../../src/dns/corefile/check-corefile.ts'
import { buildServers } from '../../../src/dns/plugins/build-servers.ts'
import { silentCacheObserver } from '../../../src/dns/plugins/cache-observer.ts'
import type { ChainParts } from '../../../src/dns/plugins/chain-parts.ts'
import { silentForwardObserver } from '../../../src/dns/plugins/forward-observer.ts'
import { openResponder } from '../../../src/dns/server/open-responder.ts'
import { ClusterNames } from '../../../src/dns/zone/cluster-names.ts'
import { kubernetesPlugin } from '../../../src/dns/zone/kubernetes-plugin.ts'
import { createLogger } from '../../../src/observe/logger.ts'
import { fillStores, openStores } from './cluster-stores.ts'
import type { DnsObjects, DnsScenario } from './dns-scenario.ts'
import { recordedMachine } from './recorded-machine.ts'
import { recordedUpstream } from './recorded-upstream.ts'

/** Our server, without sockets. */
export interface DnsSubject {
  /** Brings the cluster to a step. */
  setObjects(objects: DnsObjects): void
  /** The answer's bytes; undefined: none. */
  ask(query: Uint8Array, from: Asker): Promise<Uint8Array | undefined>
}

/** Who asks, and how. */
export interface Asker {
  readonly client: string
  readonly transport: Transport
}

/** Opens the server of a scenario: the first listener of its Corefile, built as the daemon builds it, with the memo
 *  in front. */
export function openSubject(scenario: DnsScenario, corefile: Corefile): DnsSubject {
  const clusters: Cluster[] = []
  const [listener] = buildServers(corefile, partsOf(scenario, clusters))
  if (listener === undefined) throw new Error(`${scenario.name}: the Corefile has no server block`)
  const responder = openResponder(listener, {
    names: clusters.map(({ names }) => names),
    observer: {
      tallyOf: () => 0,
      answered: () => undefined,
      repeated: () => undefined,
      refused: () => undefined,
      failed: (error) => {
        throw error
      },
    },
    random: () => 0.5,
    nowMs: () => 0,
  })
  return {
    setObjects: (objects) => {
      for (const { fill } of clusters) fill(objects)
    },
    ask: (bytes, { client, transport }) => {
      const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>()
      const asker = {
        client: { address: client, port: 1 },
        local: { address: '127.0.0.1', port: 53 },
        transport,
      }
      let isLate = false
      const source = {
        asker: () => asker,
        later: () => {
          isLate = true
          return resolve
        },
      }
      const isStream = transport !== 'udp'
      const length = responder.respond(bytes, 0, bytes.length, isStream, source, out, 0)
      if (length > 0) resolve(out.slice(0, length))
      else if (!isLate) resolve(undefined)
      return promise
    },
  }
}

const out = new Uint8Array(65_535)

/** The names of one `kubernetes` directive, and the way to bring them to a step. */
interface Cluster {
  readonly names: ClusterNames
  fill(objects: DnsObjects): void
}

function partsOf(scenario: DnsScenario, clusters: Cluster[]): ChainParts {
  const { addresses } = recordedMachine(scenario)
  const upstream = recordedUpstream(scenario)
  let seed = 1
  return {
    // No time passes: what counts down in the recordings is not compared.
    clock: { now: () => 0, schedule: () => () => undefined },
    monotonicMs: () => 0,
    random: () => {
      seed = (seed * 48_271) % 0x7fffffff
      return seed / 0x7fffffff
    },
    log: createLogger({ format: 'json', level: 'error' }, () => undefined),
    kubernetes: (settings) => {
      const stores = openStores()
      const names = new ClusterNames(stores, () => 1)
      clusters.push({ names, fill: (objects) => fillStores(stores, settings, objects) })
      return kubernetesPlugin(settings, {
        names,
        localAddresses: () => addresses,
        searchDomains: () => [],
      })
    },
    openUpstream: () => upstream,
    readFile: () => undefined,
    hostName: 'localhost',
    askListener: () => Promise.reject(new Error('there is no listener')),
    interfaceAddresses: () => undefined,
    onLoop: () => undefined,
    cacheObserver: silentCacheObserver,
    forwardObserver: silentForwardObserver,
  }
}
