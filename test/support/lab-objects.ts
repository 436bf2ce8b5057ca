import { familyOf } from '../../src/net/address.ts'
import type { Protocol } from '../../src/net/protocol.ts'
import { labAddresses } from './lab-topology.ts'

/** A Kubernetes object as a manifest has it. */
export type LabObject = Readonly<Record<string, unknown>>

/** Names of the lab's nodes in the Kubernetes objects. */
export const labNodes = { here: 'node-1', there: 'node-2' } as const

/** The pods that can be endpoints: where they run, and their addresses. */
const pods = {
  a: { nodeName: labNodes.here, 4: labAddresses[4].podA, 6: labAddresses[6].podA },
  b: { nodeName: labNodes.here, 4: labAddresses[4].podB, 6: labAddresses[6].podB },
  c: { nodeName: labNodes.there, 4: labAddresses[4].podC, 6: labAddresses[6].podC },
} as const

/** The port on which every server of the lab listens, with every protocol. */
export const serverPort = 8080

/** What a test says about a service; the port is 80 and leads to `serverPort`. */
export interface LabService {
  readonly name: string
  readonly clusterIPs: readonly string[]
  readonly pods: readonly (keyof typeof pods)[]
  readonly protocols?: readonly Protocol[]
  readonly nodePort?: number
  /** Addresses of the load balancer. */
  readonly loadBalancerIPs?: readonly string[]
  /** Further fields of the spec. */
  readonly spec?: LabObject
}

/** The manifest objects of services: the services, their endpoint slices, the lab's first node. */
export function labObjects(services: readonly LabService[]): readonly LabObject[] {
  return [node(), ...services.flatMap((service) => [serviceObject(service), ...slices(service)])]
}

function node(): LabObject {
  const addresses = [labAddresses[4].node, labAddresses[6].node]
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: labNodes.here },
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
  }
}

function serviceObject(service: LabService): LabObject {
  const { name, clusterIPs, nodePort, loadBalancerIPs = [], protocols = ['TCP'] } = service
  const families = clusterIPs.map((address) => `IPv${familyOf(address)}`)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'lab' },
    spec: {
      type: typeOf(service),
      clusterIP: clusterIPs[0],
      clusterIPs,
      ipFamilies: families,
      ipFamilyPolicy: families.length === 2 ? 'RequireDualStack' : 'SingleStack',
      ports: protocols.map((protocol) => ({
        name: protocol.toLowerCase(),
        protocol,
        port: 80,
        targetPort: serverPort,
        ...(nodePort === undefined ? {} : { nodePort }),
      })),
      ...service.spec,
    },
    status: { loadBalancer: { ingress: loadBalancerIPs.map((ip) => ({ ip })) } },
  }
}

function typeOf({ nodePort, loadBalancerIPs }: LabService): string {
  if (loadBalancerIPs !== undefined) return 'LoadBalancer'
  return nodePort === undefined ? 'ClusterIP' : 'NodePort'
}

function slices(service: LabService): LabObject[] {
  const { name, clusterIPs, protocols = ['TCP'] } = service
  return clusterIPs.map(familyOf).map((family) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${family}`,
      namespace: 'lab',
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType: `IPv${family}`,
    endpoints: service.pods.map((pod) => ({
      addresses: [pods[pod][family]],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: pods[pod].nodeName,
    })),
    ports: protocols.map((protocol) => ({
      name: protocol.toLowerCase(),
      protocol,
      port: serverPort,
    })),
  }))
}
