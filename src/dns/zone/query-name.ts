import { type DnsName, nameLabels } from '../wire/name.ts'

/** What a name below a zone asks for, by the schema of the Kubernetes DNS specification. */
export type QueryName =
  /** The zone itself, `svc` or `pod`: there, but without data. */
  | { readonly kind: 'node' }
  /** Not of the schema, whatever the cluster holds. */
  | { readonly kind: 'invalid' }
  /** `NAMESPACE.svc` or `NAMESPACE.pod`. */
  | { readonly kind: 'namespace'; readonly branch: Branch; readonly namespace: string }
  | ServiceQuery
  /** `10-0-0-1.NAMESPACE.pod`; what stands before is ignored, as in CoreDNS. */
  | { readonly kind: 'pod'; readonly namespace: string; readonly pod: string }

/** `[ENDPOINT.]SERVICE.NAMESPACE.svc` or `_PORT._PROTOCOL.SERVICE.NAMESPACE.svc`; empty: not given. */
export interface ServiceQuery {
  readonly kind: 'service'
  readonly namespace: string
  readonly service: string
  readonly endpoint: string
  readonly port: string
  readonly protocol: string
}

type Branch = 'svc' | 'pod'

/** Reads a lower-case name that lies in the lower-case zone. */
export function readQueryName(name: DnsName, zone: DnsName): QueryName {
  const labels = nameLabels(name)
  labels.length -= zone === '.' ? 0 : nameLabels(zone).length
  const branch = labels.pop()
  if (branch === undefined) return { kind: 'node' }
  if (branch !== 'svc' && branch !== 'pod') return { kind: 'invalid' }
  const namespace = labels.pop()
  if (namespace === undefined) return { kind: 'node' }
  const service = labels.pop()
  if (service === undefined) return { kind: 'namespace', branch, namespace }
  if (labels.length > 2) return { kind: 'invalid' }
  if (branch === 'pod') return { kind: 'pod', namespace, pod: service }
  const [first = '', second] = labels
  const isPort = second !== undefined
  return {
    kind: 'service',
    namespace,
    service,
    endpoint: isPort ? '' : first,
    port: isPort ? withoutUnderscore(first) : '',
    protocol: isPort ? withoutUnderscore(second) : '',
  }
}

function withoutUnderscore(label: string): string {
  return label.startsWith('_') ? label.slice(1) : label
}
