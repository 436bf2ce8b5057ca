import type {
  Endpoint,
  EndpointPort,
  EndpointSlice,
  EndpointState,
  Service,
  ServicePort,
} from '../../src/kube/resources.ts'
import { parseAddress } from '../../src/net/address.ts'
import { formatPrefix, type Prefix, parsePrefix } from '../../src/net/prefix.ts'
import type { Protocol } from '../../src/net/protocol.ts'
import type {
  Action,
  Frontend,
  NodeIdentity,
  NodePlan,
  ServicePlan,
  SourceClass,
} from '../../src/proxy/plan/plan.ts'
import type { PlanContext } from '../../src/proxy/plan/plan-context.ts'
import { formatBackend } from '../../src/proxy/port/verdict.ts'

/** Services and slices in a compact notation, one a line:
 *
 *      service web 10.96.0.10 http:80/TCP/30080 type=LoadBalancer lb=198.18.0.1 etp=Local
 *      slice web-1 of web http:8080/TCP | 10.1.0.4@n1 | 10.1.1.7@n2 terminating zones=a
 *
 *  Names are in namespace `ns` unless they say `other/name`. Words are explained at `serviceOptions` and
 *  `endpointOptions`; an unknown word throws. */
export function parseCluster(text: string): {
  readonly services: readonly Service[]
  readonly slices: readonly EndpointSlice[]
} {
  const services: Service[] = []
  const slices: EndpointSlice[] = []
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '') continue
    if (line.startsWith('service ')) services.push(parseService(line))
    else if (line.startsWith('slice ')) slices.push(parseSlice(line))
    else throw new Error(`fixture: "${line}" is neither a service nor a slice`)
  }
  return { services, slices }
}

/** Node n1 in zone a with one address of each family; pods are 10.1.0.0/16 and fd00:1::/48. */
export function planContext(
  node: Partial<NodePlan> = {},
  identity: Partial<NodeIdentity> = {},
): PlanContext {
  return {
    identity: {
      nodeName: 'n1',
      zone: 'a',
      addresses: ['192.168.0.1', 'fd00:50::1'],
      ...identity,
    },
    node: {
      families: [4, 6],
      podDetector: { kind: 'prefixes', prefixes: [prefix('10.1.0.0/16'), prefix('fd00:1::/48')] },
      masqueradeAll: false,
      masqueradeMark: 0x4000,
      nodePortAddresses: 'any-local',
      serviceRanges: [],
      ...node,
    },
  }
}

/** A prefix that must be valid. */
export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text)
  if (parsed === undefined) throw new Error(`fixture: ${text} is no prefix`)
  return parsed
}

/** One line a frontend, classes with the same action together, `*`: every class. A backend with `!` is
 *  masqueraded always, without it for hairpin flows. Then the health check, if there is one. */
export function formatPlan(plan: ServicePlan): string {
  const lines = plan.frontends.map(formatFrontend)
  if (plan.health !== undefined) {
    lines.push(`health :${plan.health.port} ${plan.health.localEndpoints}`)
  }
  return lines.join('\n')
}

const classes: readonly SourceClass[] = ['pod', 'node', 'outside']

function formatFrontend(frontend: Frontend): string {
  const { kind, address, port, protocol, sourceRanges, actions } = frontend
  const target = address === undefined ? `*:${port}` : formatBackend(address, port)
  const sources =
    sourceRanges === undefined ? '' : ` from ${sourceRanges.map(formatPrefix).join(' ')}`
  const byAction = new Map<string, SourceClass[]>()
  for (const source of classes) {
    const text = formatAction(actions[source])
    byAction.set(text, [...(byAction.get(text) ?? []), source])
  }
  const parts = [...byAction].map(([text, sourceClasses]) => {
    const who = sourceClasses.length === classes.length ? '*' : sourceClasses.join('+')
    return `${who} ${text}`
  })
  return `${kind} ${target}/${protocol}${sources}: ${parts.join('; ')}`
}

function formatAction(action: Action): string {
  if (action.kind !== 'balance') return action.kind
  const { backends, affinitySeconds } = action.pool
  const mark = action.masquerade === 'always' ? '!' : ''
  const list = backends.map(({ address, port }) => formatBackend(address, port) + mark).join(' ')
  return affinitySeconds === 0 ? list : `${list} affinity=${affinitySeconds}`
}

function parseService(line: string): Service {
  const [, title = '', ...words] = line.split(/ +/)
  const clusterIPs = words.filter((word) => parseAddress(word) !== undefined)
  const ports = words.filter((word) => portPattern.test(word)).map(parseServicePort)
  const base: Service = {
    kind: 'Service',
    ...names(title),
    type: 'ClusterIP',
    clusterIPs,
    isHeadless: clusterIPs.length === 0,
    externalName: '',
    externalIPs: [],
    loadBalancerIngress: [],
    loadBalancerSourceRanges: [],
    loadBalancerClass: '',
    ports,
    selector: {},
    sessionAffinity: 'None',
    sessionAffinityTimeoutSeconds: 0,
    externalTrafficPolicy: 'Cluster',
    internalTrafficPolicy: 'Cluster',
    trafficDistribution: '',
    healthCheckNodePort: 0,
    publishNotReadyAddresses: false,
  }
  const options = words.filter((word) => !clusterIPs.includes(word) && !portPattern.test(word))
  return options.reduce((service, word) => applyOption(serviceOptions, service, word), base)
}

type Options<T> = Readonly<Record<string, (object: T, value: string) => T>>

const serviceOptions: Options<Service> = {
  type: (service, value) => ({ ...service, type: oneOf(value, serviceTypes) }),
  etp: (service, value) => ({ ...service, externalTrafficPolicy: oneOf(value, policies) }),
  itp: (service, value) => ({ ...service, internalTrafficPolicy: oneOf(value, policies) }),
  ext: (service, value) => ({ ...service, externalIPs: value.split(',') }),
  /** Ingress addresses of mode VIP, and with `lb-proxy` of mode Proxy. */
  lb: (service, value) => withIngress(service, value, 'VIP'),
  'lb-proxy': (service, value) => withIngress(service, value, 'Proxy'),
  from: (service, value) => ({ ...service, loadBalancerSourceRanges: value.split(',') }),
  affinity: (service, value) => ({
    ...service,
    sessionAffinity: 'ClientIP',
    sessionAffinityTimeoutSeconds: Number(value),
  }),
  health: (service, value) => ({ ...service, healthCheckNodePort: Number(value) }),
  label: (service, value) => ({ ...service, labels: { [value]: '' } }),
  class: (service, value) => ({ ...service, loadBalancerClass: value }),
}

const serviceTypes = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const
const policies = ['Cluster', 'Local'] as const

function withIngress(service: Service, value: string, ipMode: 'VIP' | 'Proxy'): Service {
  const more = value.split(',').map((ip) => ({ ip, ipMode }))
  return { ...service, loadBalancerIngress: [...service.loadBalancerIngress, ...more] }
}

function parseSlice(line: string): EndpointSlice {
  const [head = '', ...endpoints] = line.split('|').map((part) => part.trim())
  const [, title = '', , serviceName = '', ...words] = head.split(/ +/)
  const label = words.find((word) => word.startsWith('label='))?.slice('label='.length)
  const parsed = endpoints.map(parseEndpoint)
  const isIpv6 = parsed[0]?.address.includes(':') ?? false
  const base = names(title)
  return {
    kind: 'EndpointSlice',
    ...base,
    labels: label === undefined ? {} : { [label]: '' },
    addressType: words.includes('FQDN') ? 'FQDN' : isIpv6 ? 'IPv6' : 'IPv4',
    serviceName,
    endpoints: parsed,
    ports: words.filter((word) => portPattern.test(word)).map(parseEndpointPort),
  }
}

/** `ADDRESS[,ADDRESS...][@NODE] WORD...` */
function parseEndpoint(text: string): Endpoint {
  const [where = '', ...words] = text.split(/ +/)
  const [addresses = '', nodeName = ''] = where.split('@')
  const [address = '', ...otherAddresses] = addresses.split(',')
  const base: EndpointState = {
    isReady: true,
    isServing: true,
    isTerminating: false,
    nodeName,
    zone: '',
    hintedZones: undefined,
    hintedNodes: undefined,
  }
  const state = words.reduce((before, word) => applyOption(endpointOptions, before, word), base)
  return { address, otherAddresses, hostname: '', state }
}

const endpointOptions: Options<EndpointState> = {
  unready: (state) => ({ ...state, isReady: false, isServing: false }),
  /** Serves while it ends; `dying`: does not serve any more. */
  terminating: (state) => ({ ...state, isReady: false, isTerminating: true }),
  dying: (state) => ({ ...state, isReady: false, isServing: false, isTerminating: true }),
  /** publishNotReadyAddresses keeps an endpoint ready to its end. */
  published: (state) => ({ ...state, isTerminating: true }),
  zones: (state, value) => ({ ...state, hintedZones: value.split(',') }),
  nodes: (state, value) => ({ ...state, hintedNodes: value.split(',') }),
}

function applyOption<T>(options: Options<T>, object: T, word: string): T {
  const [name = '', value = ''] = word.split('=')
  const option = options[name]
  if (option === undefined) throw new Error(`fixture: unknown word "${word}"`)
  return option(object, value)
}

/** `NAME:PORT/PROTOCOL[/NODEPORT]`; in slices PORT may be `-`: none. */
const portPattern = /^([a-z0-9-]*):(\d+|-)\/(TCP|UDP|SCTP)(?:\/(\d+))?$/

function parseServicePort(word: string): ServicePort {
  const [, name = '', port = '', protocol = '', nodePort = '0'] = portPattern.exec(word) ?? []
  return {
    name,
    protocol: oneOf(protocol, protocolNames),
    port: Number(port),
    nodePort: Number(nodePort),
    targetPort: Number(port),
  }
}

function parseEndpointPort(word: string): EndpointPort {
  const [, name = '', port = '', protocol = ''] = portPattern.exec(word) ?? []
  return {
    name,
    protocol: oneOf(protocol, protocolNames),
    port: port === '-' ? undefined : Number(port),
  }
}

const protocolNames: readonly Protocol[] = ['TCP', 'UDP', 'SCTP']

function names(title: string) {
  const [namespace = '', name = ''] = title.includes('/') ? title.split('/') : ['ns', title]
  return { namespace, name, labels: {}, annotations: {}, resourceVersion: '1' }
}

function oneOf<T extends string>(value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value)
  if (found === undefined) throw new Error(`fixture: got ${value}, expected ${allowed.join(', ')}`)
  return found
}
