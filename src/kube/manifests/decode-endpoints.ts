import { parseAddress } from '../../net/address.ts'
import { protocols } from '../../net/protocol.ts'
import { checkKind, decodeMeta, objectTitle } from '../decode-meta.ts'
import type { DecodePool } from '../decode-pool.ts'
import { asJsonObject, FieldReader, type JsonObject } from '../json-fields.ts'
import type { EndpointPort, ResourceMeta } from '../resources.ts'

/** core/v1 EndpointAddress. */
export interface LegacyAddress {
  /** Canonical. */
  readonly ip: string
  readonly nodeName: string
  readonly hostname: string
}

/** core/v1 EndpointSubset. */
export interface LegacySubset {
  readonly ready: readonly LegacyAddress[]
  readonly notReady: readonly LegacyAddress[]
  readonly ports: readonly EndpointPort[]
}

/** core/v1 Endpoints, which only manifests still bring. */
export interface LegacyEndpoints extends ResourceMeta {
  readonly kind: 'Endpoints'
  readonly subsets: readonly LegacySubset[]
}

/** Decodes a core/v1 Endpoints object. Throws a DecodeError with all faults. */
export function decodeEndpoints(value: unknown, pool: DecodePool): LegacyEndpoints {
  const reader = new FieldReader()
  const object = asJsonObject(value) ?? {}
  checkKind(reader, object, 'Endpoints', 'v1')
  const meta = decodeMeta(reader, object, 'namespaced', pool)
  const subsets = reader.objects(object, 'subsets', maxItems, (subset) => ({
    ready: decodeLegacyAddresses(reader, subset, 'addresses'),
    notReady: decodeLegacyAddresses(reader, subset, 'notReadyAddresses'),
    ports: reader.objects(subset, 'ports', maxItems, (port) => decodeLegacyPort(reader, port)),
  }))
  reader.finish(objectTitle('Endpoints', value))
  return { kind: 'Endpoints', ...meta, subsets }
}

/** The API has no bound but the size of an object. */
const maxItems = 20_000

function decodeLegacyAddresses(
  reader: FieldReader,
  subset: JsonObject,
  member: string,
): readonly LegacyAddress[] {
  return reader.objects(subset, member, maxItems, (entry) => {
    const address = typeof entry.ip === 'string' ? parseAddress(entry.ip) : undefined
    if (address === undefined) {
      reader.fault('ip', entry.ip, 'an IPv4 or IPv6 address')
      return undefined
    }
    return {
      ip: address.text,
      nodeName: reader.text(entry, 'nodeName', 253),
      hostname: reader.text(entry, 'hostname', 253),
    }
  })
}

function decodeLegacyPort(reader: FieldReader, port: JsonObject): EndpointPort {
  if (port.port === undefined) reader.fault('port', undefined, 'a whole number 1..65535')
  return {
    name: reader.text(port, 'name', 63),
    protocol: reader.choice(port, 'protocol', protocols, 'TCP'),
    port: reader.integer(port, 'port', { min: 1, max: 65_535 }, undefined),
  }
}
