import type { DnsName } from '../wire/name.ts'
import { type BlockContext, filePath } from './block-context.ts'
import { refuse } from './corefile-error.ts'
import {
  argumentOf,
  argumentsOf,
  decodeChoice,
  decodeDuration,
  decodeFallthrough,
  decodeInteger,
  decodeOptions,
  isBare,
} from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import { zonesOrDefault } from './server-key.ts'

/** The `kubernetes` directive. */
export interface KubernetesSettings {
  /** At least one of them is no reverse zone. */
  readonly zones: readonly DnsName[]
  readonly pods: PodMode
  /** Endpoints without a host name are named after their pods. */
  readonly hasEndpointPodNames: boolean
  /** Undefined: all. */
  readonly namespaces: readonly string[] | undefined
  /** A label selector of Kubernetes for services and endpoints, as written; empty: all. */
  readonly labels: string
  /** A label selector for namespaces, as written; empty: all. */
  readonly namespaceLabels: string
  /** Names in these zones that do not exist are left to the next plugin. */
  readonly fallthrough: readonly DnsName[]
  readonly ttlSeconds: number
  /** Endpoints are not watched: no headless services, no reverse names of endpoints. */
  readonly hasEndpoints: boolean
  /** A service without ready endpoints does not exist. */
  readonly ignoresEmptyService: boolean
  readonly access: KubernetesAccess
  readonly startupTimeoutMs: number
}

/** Answers to names like `10-0-0-1.default.pod.cluster.local`. */
export type PodMode = (typeof podModes)[number]

/** Which API server; everything undefined: the one of the pod that this runs in. */
export interface KubernetesAccess {
  readonly endpoint: string | undefined
  readonly certificate: ClientCertificate | undefined
  readonly kubeconfig: string | undefined
  readonly kubeconfigContext: string | undefined
}

/** Paths of PEM files. */
export interface ClientCertificate {
  readonly certificate: string
  readonly key: string
  readonly authority: string
}

const podModes = ['disabled', 'insecure', 'verified'] as const

/** Decodes `kubernetes [ZONES...] { ... }`. */
export function decodeKubernetes(entry: Entry, context: BlockContext): KubernetesSettings {
  const [head] = entry.words
  const zones = zonesOrDefault(argumentsOf(entry, { min: 0 }), context.zones)
  if (zones.every((zone) => /(?:^|\.)(?:in-addr|ip6)\.arpa\.$/.test(zone))) {
    refuse(head, 'kubernetes needs a zone that is not a reverse zone, like cluster.local')
  }
  let settings: KubernetesSettings = { ...defaults, zones }
  const set = (part: Partial<KubernetesSettings>): void => {
    settings = { ...settings, ...part }
  }
  decodeOptions(entry, {
    pods: (option) => set({ pods: decodeChoice(argumentOf(option), podModes) }),
    ttl: (option) => set({ ttlSeconds: decodeInteger(argumentOf(option), 0, 3600) }),
    fallthrough: (option) => set({ fallthrough: decodeFallthrough(option) }),
    namespaces: (option) => set({ namespaces: texts(option, 1) }),
    labels: (option) => set({ labels: texts(option, 1).join(' ') }),
    namespace_labels: (option) => set({ namespaceLabels: texts(option, 1).join(' ') }),
    endpoint_pod_names: (option) => set({ hasEndpointPodNames: isBare(option) }),
    noendpoints: (option) => set({ hasEndpoints: !isBare(option) }),
    ignore: (option) => {
      decodeChoice(argumentOf(option), ['empty_service'])
      set({ ignoresEmptyService: true })
    },
    startup_timeout: (option) => set({ startupTimeoutMs: decodeDuration(argumentOf(option)) }),
    multicluster: (option) => refuse(option.words[0], 'multicluster zones are not supported'),
    ...accessOptions(context, (access) => set({ access: { ...settings.access, ...access } })),
  })
  if (settings.namespaces !== undefined && settings.namespaceLabels !== '') {
    refuse(head, 'namespaces and namespace_labels exclude each other')
  }
  return settings
}

const defaults: Omit<KubernetesSettings, 'zones'> = {
  pods: 'disabled',
  hasEndpointPodNames: false,
  namespaces: undefined,
  labels: '',
  namespaceLabels: '',
  fallthrough: [],
  ttlSeconds: 5,
  hasEndpoints: true,
  ignoresEmptyService: false,
  access: {
    endpoint: undefined,
    certificate: undefined,
    kubeconfig: undefined,
    kubeconfigContext: undefined,
  },
  startupTimeoutMs: 5_000,
}

function accessOptions(
  context: BlockContext,
  set: (access: Partial<KubernetesAccess>) => void,
): Readonly<Record<string, (option: Entry) => void>> {
  return {
    endpoint: (option) => set({ endpoint: texts(option, 1)[0] }),
    kubeconfig: (option) => {
      const [path = '', kubeconfigContext] = texts(option, 1, 2)
      set({ kubeconfig: filePath(path, context), kubeconfigContext })
    },
    tls: (option) => {
      const [certificate = '', key = '', authority = ''] = texts(option, 3, 3).map((path) =>
        filePath(path, context),
      )
      set({ certificate: { certificate, key, authority } })
    },
  }
}

function texts(option: Entry, min: number, max?: number): string[] {
  const arity = max === undefined ? { min } : { min, max }
  return argumentsOf(option, arity).map((token) => token.text)
}
