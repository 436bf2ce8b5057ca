import { failure, type Reply } from '../../../src/dns/chain/reply.ts'
import type { Request } from '../../../src/dns/chain/request.ts'
import { checkCorefile } from '../../../src/dns/corefile/check-corefile.ts'
import type { KubernetesSettings } from '../../../src/dns/corefile/decode-kubernetes.ts'
import { type Message, noFlags, type ResourceRecord } from '../../../src/dns/wire/message.ts'
import { nameKey } from '../../../src/dns/wire/name.ts'
import { formatRcode, formatType, parseType, rcodes } from '../../../src/dns/wire/numbers.ts'
import { ClusterNames, type NamedObjects } from '../../../src/dns/zone/cluster-names.ts'
import { kubernetesPlugin } from '../../../src/dns/zone/kubernetes-plugin.ts'
import { createDecodePool } from '../../../src/kube/decode-pool.ts'
import { ManifestCatalog } from '../../../src/kube/manifests/manifest-catalog.ts'
import { parseManifest } from '../../../src/kube/manifests/parse-manifest.ts'
import { Store } from '../../../src/kube/store.ts'

/** A cluster made of manifest texts, with its names. */
export interface TestCluster {
  readonly objects: NamedObjects
  readonly names: ClusterNames
  /** Replaces the objects of a file; no text forgets them. */
  setFile(file: string, text: string): void
}

/** Serial of the SOA in tests. */
export const testSerial = 7

/** A cluster without objects that counts as listed. */
export function openCluster(): TestCluster {
  const [services, slices, namespaces, pods] = [
    new Store(),
    new Store(),
    new Store(),
    new Store(),
  ] as unknown as [
    NamedObjects['services'],
    NamedObjects['slices'],
    NamedObjects['namespaces'],
    NamedObjects['pods'],
  ]
  const objects = { services, slices, namespaces, pods }
  for (const store of Object.values(objects)) store.replace([])
  const pool = createDecodePool({ keepsPodNames: true })
  const catalog = new ManifestCatalog(
    {
      Service: services,
      EndpointSlice: slices,
      Namespace: namespaces,
      Pod: pods,
      Node: new Store(),
      ServiceCIDR: new Store(),
    },
    () => {},
  )
  return {
    objects,
    names: new ClusterNames(objects, () => testSerial),
    setFile: (file, text) => {
      const { objects: parsed, refused } = parseManifest(file, text, pool)
      if (refused[0] !== undefined) throw refused[0].error
      catalog.setFile(file, parsed)
    },
  }
}

/** The settings of a directive with these lines in its body. */
export function directive(...lines: readonly string[]): KubernetesSettings {
  const body = ['kubernetes cluster.local in-addr.arpa ip6.arpa {', ...lines, '}'].join('\n')
  const options = { defaultPort: 53, environment: {}, importFiles: () => undefined }
  const { blocks } = checkCorefile('Corefile', `. {\n${body}\n}`, options)
  const [settings] = blocks[0]?.settings.kubernetes ?? []
  if (settings === undefined) throw new Error('no directive')
  return settings
}

/** How a question is asked, beside name and type. */
export interface AskOptions {
  readonly client?: string
  readonly lookup?: Request['lookup']
  readonly localAddresses?: readonly string[]
}

/** Asks the plugin `NAME TYPE`. */
export async function ask(
  cluster: Pick<TestCluster, 'names'>,
  settings: KubernetesSettings,
  text: string,
  options: AskOptions = {},
): Promise<Reply> {
  const [name = '.', typeName = 'A'] = text.split(' ')
  const question = { name, type: parseType(typeName) ?? 0, class: 1 }
  const plugin = kubernetesPlugin(settings, {
    names: cluster.names,
    localAddresses: () => options.localAddresses ?? [],
    searchDomains: () => ['example.com.'],
  })
  const nothing = failure(rcodes.SERVFAIL, 'next')
  return plugin.serve(
    {
      message: query(question),
      question,
      name: nameKey(name),
      client: { address: options.client ?? '192.0.2.1', port: 1 },
      local: { address: '192.0.2.53', port: 53 },
      transport: 'udp',
      zone: '.',
      server: 'dns://:53',
      envelope: { edns: undefined },
      lookup: options.lookup ?? (() => nothing),
      trace: undefined,
    },
    () => nothing,
  )
}

function query(question: Message['questions'][number]): Message {
  return {
    id: 1,
    flags: { ...noFlags, rd: true },
    opcode: 0,
    rcode: 0,
    questions: [question],
    answers: [],
    authority: [],
    additional: [],
    edns: undefined,
  }
}

/** A reply as text: the code, then each record of answer and additional section as a line of a zone file
 *  without class, `+` before the additional ones. A lone SOA is left out. `next`: not ours. */
export function formatReply(reply: Reply): readonly string[] {
  if (reply.kind === 'dropped') return ['dropped']
  if (reply.kind === 'failure') return [reply.reason ?? formatRcode(reply.rcode)]
  const { rcode, answers, additional } = reply.message
  return [
    formatRcode(rcode),
    ...answers.map(formatRecord),
    ...additional.map((record) => `+ ${formatRecord(record)}`),
  ]
}

/** `NAME TTL TYPE DATA`. */
export function formatRecord({ name, ttl, type, data }: ResourceRecord): string {
  const { kind: _, ...fields } = data
  const values = Object.values(fields).map((value) =>
    Array.isArray(value) ? value.map((text) => Buffer.from(text).toString()).join() : value,
  )
  return [name, ttl, formatType(type), ...values].join(' ')
}
