import { decodeEndpointSlice } from './decode-endpoint-slice.ts'
import { decodeNamespace } from './decode-namespace.ts'
import { decodeNode } from './decode-node.ts'
import { decodePod } from './decode-pod.ts'
import type { DecodePool } from './decode-pool.ts'
import { decodeService } from './decode-service.ts'
import { decodeServiceCidr } from './decode-service-cidr.ts'
import type { Kind, Resources } from './resources.ts'

/** Decodes an object of one consumed kind from parsed JSON or YAML. Throws a DecodeError, and
 *  nothing else, for whatever is not such an object. */
export function decodeResource<K extends Kind>(
  kind: K,
  value: unknown,
  pool: DecodePool,
): Resources[K] {
  return decoders[kind](value, pool)
}

const decoders: { readonly [K in Kind]: (value: unknown, pool: DecodePool) => Resources[K] } = {
  Service: decodeService,
  EndpointSlice: decodeEndpointSlice,
  Node: decodeNode,
  ServiceCIDR: decodeServiceCidr,
  Namespace: decodeNamespace,
  Pod: decodePod,
}
