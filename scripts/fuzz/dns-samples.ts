import { addressesOf, serviceJson, sliceJson } from '../../bench/support/generate-cluster.ts'
import { FrontMemo } from '../../src/dns/answer/front-memo.ts'
import { NameStamps } from '../../src/dns/answer/name-stamps.ts'
import { PacketResponder } from '../../src/dns/answer/packet-responder.ts'
import { checkCorefile } from '../../src/dns/corefile/check-corefile.ts'
import { buildServers } from '../../src/dns/plugins/build-servers.ts'
import { silentCacheObserver } from '../../src/dns/plugins/cache-observer.ts'
import type { Respond } from '../../src/dns/plugins/dns-server.ts'
import { silentForwardObserver } from '../../src/dns/plugins/forward-observer.ts'
import { decodeMessage } from '../../src/dns/wire/decode-message.ts'
import { encodeMessage } from '../../src/dns/wire/encode-message.ts'
import { type Message, noFlags } from '../../src/dns/wire/message.ts'
import { recordTypes } from '../../src/dns/wire/numbers.ts'
import { ClusterNames, type NamedObjects } from '../../src/dns/zone/cluster-names.ts'
import { kubernetesPlugin } from '../../src/dns/zone/kubernetes-plugin.ts'
import { createDecodePool } from '../../src/kube/decode-pool.ts'
import { decodeResource } from '../../src/kube/decode-resource.ts'
import { Store } from '../../src/kube/store.ts'
import { createLogger } from '../../src/observe/logger.ts'

const owner = 'service-1.bench.svc.cluster.local.'
const edns = {
  udpSize: 1232,
  version: 0,
  isDnssecOk: true,
  options: [{ code: 10, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }],
}

/** Queries of each kind, and answers with every record type that is taken apart. */
export const dnsSamples: readonly Uint8Array[] = [
  query(owner, recordTypes.A, undefined),
  query(owner, recordTypes.SRV, edns),
  query('absent.bench.svc.cluster.local.', recordTypes.AAAA, { ...edns, options: [] }),
  query('1.0.96.10.in-addr.arpa.', recordTypes.PTR, undefined),
  encodeMessage({ ...decodeMessage(query(owner, 1, edns)), ...answerSections() }, 65_535),
]

function query(name: string, type: number, opt: Message['edns']): Uint8Array {
  const questions = [{ name, type, class: 1 }]
  const flags = { ...noFlags, rd: true }
  const sections = { answers: [], authority: [], additional: [] }
  return encodeMessage(
    { id: 7, flags, opcode: 0, rcode: 0, questions, ...sections, edns: opt },
    512,
  )
}

function answerSections(): Pick<Message, 'flags' | 'answers' | 'authority'> {
  const common = { name: owner, class: 1, ttl: 5 }
  const target = 'other.bench.svc.cluster.local.'
  const text = Uint8Array.of(104, 105)
  const soa = { serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 }
  return {
    flags: { ...noFlags, qr: true, aa: true },
    answers: [
      { ...common, type: recordTypes.CNAME, data: { kind: 'CNAME', target } },
      { ...common, type: recordTypes.AAAA, data: { kind: 'AAAA', address: 'fd00::1' } },
      { ...common, type: recordTypes.TXT, data: { kind: 'TXT', strings: [text, text] } },
      {
        ...common,
        type: recordTypes.SRV,
        data: { kind: 'SRV', priority: 0, weight: 1, port: 2, target },
      },
      {
        ...common,
        type: recordTypes.HTTPS,
        data: { kind: 'SVCB', priority: 1, target, parameters: [{ key: 1, value: text }] },
      },
    ],
    authority: [
      {
        ...common,
        type: recordTypes.SOA,
        data: { kind: 'SOA', mname: target, rname: target, ...soa },
      },
    ],
  }
}

/** A whole server without sockets: gives its answer to a packet, throws when a part of it breaks its promise
 *  or its answer is no message. */
export function openDnsServer(): (packet: Uint8Array) => void {
  const names = new ClusterNames(clusterObjects(), () => 1)
  const stamps = new NameStamps()
  let broken: unknown
  const responder = new PacketResponder({
    respond: respondFor(names),
    memo: new FrontMemo({ maxBytes: 1 << 20, stamps, random: () => 0.5 }),
    recorder: names,
    observer: {
      tallyOf: () => 0,
      answered: () => undefined,
      repeated: () => undefined,
      refused: () => undefined,
      failed: (error) => {
        broken = error
      },
    },
    nowMs: () => 0,
    timerMs: () => 0,
    hashSeed: 1,
  })
  const out = new Uint8Array(65_535)
  const client = { address: '192.0.2.1', port: 1 }
  const asker = { client, local: client, transport: 'udp' } as const
  const source = { asker: () => asker, later: () => (): void => {} }
  return (packet) => {
    const length = responder.respond(packet, 0, packet.length, false, source, out, 0)
    if (broken !== undefined) throw broken
    if (length > 0) decodeMessage(out.subarray(0, length))
  }
}

function clusterObjects(): NamedObjects {
  const objects: NamedObjects = {
    services: new Store(),
    slices: new Store(),
    namespaces: new Store(),
    pods: new Store(),
  }
  const pool = createDecodePool()
  const namespace = { kind: 'Namespace', metadata: { name: 'bench' } }
  objects.services.replace([decodeResource('Service', serviceJson(1), pool)])
  objects.slices.replace([decodeResource('EndpointSlice', sliceJson(1, addressesOf(1, 3)), pool)])
  objects.namespaces.replace([decodeResource('Namespace', namespace, pool)])
  objects.pods.replace([])
  return objects
}

/** Everything that answers without the network, and rewrites names by pattern. */
const corefile = `. {
  errors
  nsid
  bufsize 1232
  loadbalance
  cache 30
  rewrite name regex (.*)\\.rewritten\\.test {1}.bench.svc.cluster.local answer auto
  minimal
  template IN A dyn.test {
    answer "{{ .Name }} 60 IN A 192.0.2.1"
  }
  hosts {
    192.0.2.10 host.test
    fallthrough
  }
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    pods insecure
  }
  whoami
}`

function respondFor(names: ClusterNames): Respond {
  const surroundings = { defaultPort: 53, environment: {}, importFiles: () => undefined }
  const [listener] = buildServers(checkCorefile('Corefile', corefile, surroundings), {
    clock: { now: () => 0, schedule: () => () => undefined },
    monotonicMs: () => 0,
    random: () => 0.5,
    log: createLogger({ format: 'json', level: 'error' }, () => undefined),
    kubernetes: (settings) =>
      kubernetesPlugin(settings, { names, localAddresses: () => [], searchDomains: () => [] }),
    openUpstream: () => {
      throw new Error('nothing is forwarded')
    },
    readFile: () => undefined,
    hostName: 'localhost',
    askListener: () => Promise.resolve(),
    interfaceAddresses: () => undefined,
    onLoop: () => undefined,
    cacheObserver: silentCacheObserver,
    forwardObserver: silentForwardObserver,
  })
  if (listener === undefined) throw new Error('the Corefile has no block')
  return listener.respond
}
