import type { Transport } from '../../../src/dns/chain/request.ts'
import type { Corefile } from '../../../src/dns/corefile/check-corefile.ts'
import { buildServers } from '../../../src/dns/plugins/build-servers.ts'
import { silentCacheObserver } from '../../../src/dns/plugins/cache-observer.ts'
import type { ChainParts } from '../../../src/dns/plugins/chain-parts.ts'
import { silentForwardObserver } from '../../../src/dns/plugins/forward-observer.ts'
import { decodeMessage } from '../../../src/dns/wire/decode-message.ts'
import { encodeMessage } from '../../../src/dns/wire/encode-message.ts'
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

/** Opens the server of a scenario: the first listener of its Corefile, built as the daemon builds it. */
export function openSubject(scenario: DnsScenario, corefile: Corefile): DnsSubject {
  const fills: ((objects: DnsObjects) => void)[] = []
  const [listener] = buildServers(corefile, partsOf(scenario, fills))
  return {
    setObjects: (objects) => {
      for (const fill of fills) fill(objects)
    },
    ask: async (bytes, { client, transport }) => {
      const response = await listener?.respond({
        message: decodeMessage(bytes),
        client: { address: client, port: 1 },
        local: { address: '127.0.0.1', port: 53 },
        transport,
      })
      return response && encodeMessage(response.message, response.maxBytes)
    },
  }
}

function partsOf(scenario: DnsScenario, fills: ((objects: DnsObjects) => void)[]): ChainParts {
  const { addresses } = recordedMachine(scenario)
  const upstream = recordedUpstream(scenario)
  let seed = 1
  return {
    // No time passes: what counts down in the recordings is not compared.
    clock: { now: () => 0, schedule: () => () => undefined },
    random: () => {
      seed = (seed * 48_271) % 0x7fffffff
      return seed / 0x7fffffff
    },
    log: createLogger({ format: 'json', level: 'error' }, () => undefined),
    kubernetes: (settings) => {
      const stores = openStores()
      fills.push((objects) => fillStores(stores, settings, objects))
      const names = new ClusterNames(stores, () => 1)
      return kubernetesPlugin(settings, {
        names,
        localAddresses: () => addresses,
        searchDomains: [],
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
