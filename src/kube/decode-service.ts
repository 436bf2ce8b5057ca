import { protocols } from '../net/protocol.ts'
import { decodeAddress, decodeAddresses } from './decode-address.ts'
import { checkKind, decodeMeta, objectTitle } from './decode-meta.ts'
import type { DecodePool } from './decode-pool.ts'
import { asJsonObject, FieldReader, type JsonObject } from './json-fields.ts'
import type { LoadBalancerIngress, Service, ServicePort } from './resources.ts'

/** Decodes a core/v1 Service with the API's defaults for absent fields. Throws a DecodeError that
 *  names the object and all faults. Unknown fields are ignored: a newer server may send them. */
export function decodeService(value: unknown, pool: DecodePool): Service {
  const reader = new FieldReader()
  const object = asJsonObject(value) ?? {}
  checkKind(reader, object, 'Service', 'v1')
  const meta = decodeMeta(reader, object, 'namespaced', pool)
  const spec = reader.object(object, 'spec')
  const status = reader.object(object, 'status')
  reader.enter('spec')
  const type = reader.choice(spec, 'type', serviceTypes, 'ClusterIP')
  const sessionAffinity = reader.choice(spec, 'sessionAffinity', affinities, 'None')
  const service: Service = {
    kind: 'Service',
    ...meta,
    type,
    clusterIPs: type === 'ExternalName' ? none : decodeClusterIps(reader, spec),
    isHeadless: type !== 'ExternalName' && spec.clusterIP === 'None',
    externalName: reader.text(spec, 'externalName', 253),
    externalIPs: decodeAddresses(reader, spec, 'externalIPs', maxAddresses),
    loadBalancerIngress: none,
    loadBalancerSourceRanges: decodeSourceRanges(reader, spec),
    loadBalancerClass: reader.text(spec, 'loadBalancerClass', 317),
    ports: reader.objects(spec, 'ports', maxPorts, (port) => decodePort(reader, port, pool)),
    selector: reader.textMap(spec, 'selector'),
    sessionAffinity,
    sessionAffinityTimeoutSeconds: decodeAffinityTimeout(reader, spec),
    externalTrafficPolicy: reader.choice(spec, 'externalTrafficPolicy', policies, 'Cluster'),
    internalTrafficPolicy: reader.choice(spec, 'internalTrafficPolicy', policies, 'Cluster'),
    trafficDistribution: reader.text(spec, 'trafficDistribution', 253),
    healthCheckNodePort: reader.integer(spec, 'healthCheckNodePort', anyPort, 0),
    publishNotReadyAddresses: reader.boolean(spec, 'publishNotReadyAddresses', false),
  }
  reader.leave()
  const loadBalancerIngress = decodeIngress(reader, status)
  reader.finish(objectTitle('Service', value))
  return loadBalancerIngress.length === 0 ? service : { ...service, loadBalancerIngress }
}

const none: readonly never[] = Object.freeze([])
const serviceTypes = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const
const affinities = ['None', 'ClientIP'] as const
const policies = ['Cluster', 'Local'] as const
const ipModes = ['VIP', 'Proxy'] as const

/** 0 stands for "none" in the API's port fields. */
const anyPort = { min: 0, max: 65_535 }
const realPort = { min: 1, max: 65_535 }

/** The API bounds neither list; an object of etcd's 1.5 MiB cannot hold more of them. */
const maxPorts = 20_000
const maxAddresses = 20_000

/** core/v1 DefaultClientIPServiceAffinitySeconds, and the largest that validation allows (one
 *  day). */
const defaultAffinitySeconds = 10_800
const affinitySeconds = { min: 1, max: 86_400 }

function decodeClusterIps(reader: FieldReader, spec: JsonObject): readonly string[] {
  const first = spec.clusterIP ?? ''
  const all = spec.clusterIPs ?? none
  if (first === 'None' || (Array.isArray(all) && all[0] === 'None')) return none
  if (Array.isArray(all) && all.length === 0) {
    if (first === '') return none
    const address = decodeAddress(reader, 'clusterIP', first)
    return address === undefined ? none : [address]
  }
  return decodeAddresses(reader, spec, 'clusterIPs', 2)
}

function decodeSourceRanges(reader: FieldReader, spec: JsonObject): readonly string[] {
  const ranges = reader.texts(spec, 'loadBalancerSourceRanges', maxAddresses, 64)
  return ranges.length === 0 ? ranges : ranges.map((range) => range.trim())
}

function decodePort(reader: FieldReader, port: JsonObject, pool: DecodePool): ServicePort {
  const number = reader.integer(port, 'port', realPort, 0)
  if (port.port === undefined || port.port === null) {
    reader.fault('port', undefined, 'a whole number 1..65535')
  }
  const name = reader.text(port, 'name', 63)
  const appProtocol = reader.text(port, 'appProtocol', 317)
  const decoded: ServicePort = {
    name: pool.texts.intern(name, name),
    protocol: reader.choice(port, 'protocol', protocols, 'TCP'),
    port: number,
    nodePort: reader.integer(port, 'nodePort', anyPort, 0),
    targetPort: decodeTargetPort(reader, port, number, pool),
  }
  return appProtocol === '' ? decoded : { ...decoded, appProtocol }
}

/** An IntOrString; absent, 0 and the empty text mean the service's own port. */
function decodeTargetPort(
  reader: FieldReader,
  port: JsonObject,
  fallback: number,
  pool: DecodePool,
): number | string {
  const value = port.targetPort ?? ''
  if (value === '' || value === 0) return fallback
  if (typeof value === 'string' && value.length <= 63) return pool.texts.intern(value, value)
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536) {
    return value
  }
  reader.fault('targetPort', value, 'a whole number 1..65535 or a port name')
  return fallback
}

function decodeAffinityTimeout(reader: FieldReader, spec: JsonObject): number {
  const config = reader.object(spec, 'sessionAffinityConfig')
  reader.enter('sessionAffinityConfig')
  const clientIp = reader.object(config, 'clientIP')
  reader.enter('clientIP')
  const seconds = reader.integer(
    clientIp,
    'timeoutSeconds',
    affinitySeconds,
    defaultAffinitySeconds,
  )
  reader.leave()
  reader.leave()
  return seconds
}

function decodeIngress(reader: FieldReader, status: JsonObject): readonly LoadBalancerIngress[] {
  reader.enter('status')
  const loadBalancer = reader.object(status, 'loadBalancer')
  reader.enter('loadBalancer')
  const ingress = reader.objects(loadBalancer, 'ingress', maxAddresses, (entry) => {
    const text = entry.ip ?? ''
    if (text === '') return undefined
    const ip = decodeAddress(reader, 'ip', text)
    const ipMode = reader.choice(entry, 'ipMode', ipModes, 'VIP')
    return ip === undefined ? undefined : { ip, ipMode }
  })
  reader.leave()
  reader.leave()
  return ingress
}
