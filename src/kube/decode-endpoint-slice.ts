import { familyOf, parseAddress } from '../net/address.ts'
import { protocols } from '../net/protocol.ts'
import { checkKind, decodeMeta, objectTitle } from './decode-meta.ts'
import type { DecodePool } from './decode-pool.ts'
import { asJsonObject, FieldReader, type JsonObject } from './json-fields.ts'
import type { Endpoint, EndpointPort, EndpointSlice, EndpointState } from './resources.ts'

/** Decodes a discovery.k8s.io/v1 EndpointSlice; absent conditions are resolved as the API defines:
 *  ready and serving are true, terminating is false. Throws a DecodeError that names the object
 *  and all faults. Unknown fields are ignored. */
export function decodeEndpointSlice(value: unknown, pool: DecodePool): EndpointSlice {
  const reader = new FieldReader()
  const object = asJsonObject(value) ?? {}
  checkKind(reader, object, 'EndpointSlice', 'discovery.k8s.io/v1')
  const meta = decodeMeta(reader, object, 'namespaced', pool)
  const addressType = decodeAddressType(reader, object)
  const slice: EndpointSlice = {
    kind: 'EndpointSlice',
    ...meta,
    addressType,
    serviceName: meta.labels[serviceNameLabel] ?? '',
    endpoints: reader.objects(object, 'endpoints', maxEndpoints, (endpoint) =>
      decodeEndpoint(reader, endpoint, addressType, pool),
    ),
    ports: decodePorts(reader, object, pool),
  }
  reader.finish(objectTitle('EndpointSlice', value))
  return slice
}

/** Label that ties a slice to its service. */
export const serviceNameLabel = 'kubernetes.io/service-name'

const addressTypes = ['IPv4', 'IPv6', 'FQDN'] as const

/** Validation allows 1,000 endpoints, 100 addresses each, 20,000 ports and 8 hints. The first and
 *  the last have grown before: ten times as much is still cheap and spares a newer server a
 *  refusal. */
const maxEndpoints = 10_000
const maxAddresses = 100
const maxPorts = 20_000
const maxHints = 80

const maxNameCharacters = 253

function decodeAddressType(reader: FieldReader, object: JsonObject): EndpointSlice['addressType'] {
  const value = object.addressType
  for (const type of addressTypes) if (value === type) return type
  reader.fault('addressType', value, `one of ${addressTypes.join(', ')}`)
  return 'FQDN'
}

function decodeEndpoint(
  reader: FieldReader,
  endpoint: JsonObject,
  addressType: EndpointSlice['addressType'],
  pool: DecodePool,
): Endpoint {
  const [address = '', ...others] = decodeEndpointAddresses(reader, endpoint, addressType)
  const decoded: Endpoint = {
    address,
    otherAddresses: others.length === 0 ? noAddresses : others,
    hostname: reader.text(endpoint, 'hostname', maxNameCharacters),
    state: decodeState(reader, endpoint, pool),
  }
  if (pool.keepsPodNames !== true) return decoded
  const podName = reader.text(reader.object(endpoint, 'targetRef'), 'name', maxNameCharacters)
  return podName === '' ? decoded : { ...decoded, podName }
}

const noAddresses: readonly string[] = Object.freeze([])

function decodeState(reader: FieldReader, endpoint: JsonObject, pool: DecodePool): EndpointState {
  const conditions = reader.object(endpoint, 'conditions')
  const hints = reader.object(endpoint, 'hints')
  reader.enter('conditions')
  const isReady = reader.boolean(conditions, 'ready', true)
  const isServing = reader.boolean(conditions, 'serving', true)
  const isTerminating = reader.boolean(conditions, 'terminating', false)
  reader.leave()
  const nodeName = reader.text(endpoint, 'nodeName', maxNameCharacters)
  const zone = reader.text(endpoint, 'zone', maxNameCharacters)
  reader.enter('hints')
  const hintedZones = decodeHints(reader, hints, 'forZones')
  const hintedNodes = decodeHints(reader, hints, 'forNodes')
  reader.leave()
  const flags = (isReady ? 4 : 0) | (isServing ? 2 : 0) | (isTerminating ? 1 : 0)
  const hasHints = hintedZones !== undefined || hintedNodes !== undefined
  const hintsKey = hasHints ? JSON.stringify([hintedZones, hintedNodes]) : ''
  // With lengths, so that no two states have the same key, whatever stands in the names.
  const key = `${flags}${nodeName.length}/${nodeName}${zone.length}/${zone}${hintsKey}`
  return pool.endpointStates.intern(key, {
    isReady,
    isServing,
    isTerminating,
    nodeName,
    zone,
    hintedZones,
    hintedNodes,
  })
}

function decodeEndpointAddresses(
  reader: FieldReader,
  endpoint: JsonObject,
  addressType: EndpointSlice['addressType'],
): readonly string[] {
  if (addressType === 'FQDN') {
    return reader.texts(endpoint, 'addresses', maxAddresses, maxNameCharacters)
  }
  const list = reader.list(endpoint, 'addresses', maxAddresses)
  if (list.length === 0) {
    reader.fault('addresses', endpoint.addresses, 'at least one address')
    return []
  }
  reader.enter('addresses')
  const addresses = list.map((text, index) => {
    const address = typeof text === 'string' ? parseAddress(text)?.text : undefined
    if (address !== undefined && (familyOf(address) === 4) === (addressType === 'IPv4')) {
      return address
    }
    reader.fault(index, text, `an ${addressType} address`)
    return ''
  })
  reader.leave()
  return addresses
}

/** Undefined when there are none: an empty list is no hint. */
function decodeHints(
  reader: FieldReader,
  hints: JsonObject,
  member: string,
): readonly string[] | undefined {
  const names = reader.objects(hints, member, maxHints, (hint) =>
    reader.text(hint, 'name', maxNameCharacters),
  )
  return names.length === 0 ? undefined : names
}

function decodePorts(
  reader: FieldReader,
  object: JsonObject,
  pool: DecodePool,
): readonly EndpointPort[] {
  const ports = reader.objects(object, 'ports', maxPorts, (port): EndpointPort => {
    const name = reader.text(port, 'name', 63)
    return {
      name: pool.texts.intern(name, name),
      protocol: reader.choice(port, 'protocol', protocols, 'TCP'),
      port: reader.integer(port, 'port', { min: 1, max: 65_535 }, undefined),
    }
  })
  const key = ports.map((port) => `${port.name}/${port.protocol}/${port.port}`).join('\n')
  return pool.portLists.intern(key, ports)
}
