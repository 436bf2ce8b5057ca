import { parsePrefix } from '../net/prefix.ts'
import { checkKind, decodeMeta, objectTitle } from './decode-meta.ts'
import type { DecodePool } from './decode-pool.ts'
import { asJsonObject, FieldReader } from './json-fields.ts'
import type { ServiceCIDR } from './resources.ts'

/** Decodes a networking.k8s.io/v1 ServiceCIDR. Throws a DecodeError that names the object and all
 *  faults. Unknown fields are ignored. */
export function decodeServiceCidr(value: unknown, pool: DecodePool): ServiceCIDR {
  const reader = new FieldReader()
  const object = asJsonObject(value) ?? {}
  checkKind(reader, object, 'ServiceCIDR', 'networking.k8s.io/v1')
  const meta = decodeMeta(reader, object, 'cluster', pool)
  const spec = reader.object(object, 'spec')
  reader.enter('spec')
  const cidrs = reader.texts(spec, 'cidrs', maxCidrs, maxCidrCharacters)
  for (const cidr of cidrs) {
    if (parsePrefix(cidr) === undefined) reader.fault('cidrs', cidr, 'address/length')
  }
  reader.leave()
  reader.finish(objectTitle('ServiceCIDR', value))
  return { kind: 'ServiceCIDR', ...meta, cidrs }
}

/** Two families. */
const maxCidrs = 2
const maxCidrCharacters = 64
