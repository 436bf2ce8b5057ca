import type { Plugin } from '../../../src/dns/chain/plugin.ts'
import { failure, replyMessage } from '../../../src/dns/chain/reply.ts'
import type { Request, Transport } from '../../../src/dns/chain/request.ts'
import type { BlockSettings, Corefile } from '../../../src/dns/corefile/check-corefile.ts'
import { decodeMessage } from '../../../src/dns/wire/decode-message.ts'
import { encodeMessage } from '../../../src/dns/wire/encode-message.ts'
import { isInZone, nameKey } from '../../../src/dns/wire/name.ts'
import { rcodes } from '../../../src/dns/wire/numbers.ts'
import { ClusterNames } from '../../../src/dns/zone/cluster-names.ts'
import { kubernetesPlugin } from '../../../src/dns/zone/kubernetes-plugin.ts'
import { fillStores, openStores } from './cluster-stores.ts'
import type { DnsObjects, DnsScenario } from './dns-scenario.ts'
import { recordedMachine } from './recorded-machine.ts'

/** Our server, without sockets. */
export interface DnsSubject extends AsyncDisposable {
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

/** Opens the server of a scenario. */
export async function openSubject(scenario: DnsScenario, corefile: Corefile): Promise<DnsSubject> {
  const { addresses } = recordedMachine(scenario)
  const fills: ((objects: DnsObjects) => void)[] = []
  const chains = corefile.blocks.map((block) => {
    const plugins: Plugin[] = (block.settings.kubernetes ?? []).map((settings) => {
      const stores = openStores()
      fills.push((objects) => fillStores(stores, settings, objects))
      const names = new ClusterNames(stores, () => 1)
      return kubernetesPlugin(settings, {
        names,
        localAddresses: () => addresses,
        searchDomains: [],
      })
    })
    return { block, plugins }
  })
  return {
    setObjects: (objects) => {
      for (const fill of fills) fill(objects)
    },
    ask: async (bytes, asker) => {
      const message = decodeMessage(bytes)
      const question = message.questions[0] ?? { name: '.', type: 0, class: 1 }
      const serve = async (name: string, type: number) => {
        const chain = chains.find(({ block }) => zoneOf(block, name) !== undefined)
        if (question.class !== 1 || chain === undefined) return failure(rcodes.REFUSED, undefined)
        const asked = { ...message, questions: [{ ...question, name, type }] }
        const request: Request = {
          message: asked,
          question: { ...question, name, type },
          name: nameKey(name),
          client: { address: asker.client, port: 1 },
          local: { address: '127.0.0.1', port: 53 },
          transport: asker.transport,
          zone: '.',
          server: 'dns://:53',
          envelope: { edns: message.edns },
          lookup: serve,
          trace: undefined,
        }
        const [first] = chain.plugins
        const next = () => failure(rcodes.SERVFAIL, 'no next plugin')
        return first === undefined ? next() : first.serve(request, next)
      }
      const reply = await serve(question.name, question.type)
      if (reply.kind === 'dropped') return undefined
      const size = asker.transport === 'udp' ? Math.max(512, message.edns?.udpSize ?? 0) : 65_535
      const answer =
        reply.kind === 'answer' ? reply.message : replyMessage(message, { rcode: reply.rcode })
      return encodeMessage({ ...answer, edns: message.edns }, size)
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

function zoneOf(block: BlockSettings, name: string): string | undefined {
  return block.zones.find((zone) => isInZone(name, zone))
}
