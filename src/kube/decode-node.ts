import { decodeAddress } from './decode-address.ts'
import { checkKind, decodeMeta, objectTitle } from './decode-meta.ts'
import type { DecodePool } from './decode-pool.ts'
import { asJsonObject, FieldReader } from './json-fields.ts'
import type { Node } from './resources.ts'

/** Decodes a core/v1 Node: internal addresses first, then external ones; other types (host names)
 *  are left out. Throws a DecodeError that names the object and all faults. Unknown fields are
 *  ignored. */
export function decodeNode(value: unknown, pool: DecodePool): Node {
  const reader = new FieldReader()
  const object = asJsonObject(value) ?? {}
  checkKind(reader, object, 'Node', 'v1')
  const meta = decodeMeta(reader, object, 'cluster', pool)
  const spec = reader.object(object, 'spec')
  const status = reader.object(object, 'status')
  reader.enter('spec')
  const podCidr = reader.text(spec, 'podCIDR', maxCidrCharacters)
  const podCidrs = reader.texts(spec, 'podCIDRs', maxCidrs, maxCidrCharacters)
  let isLeaving = asJsonObject(object.metadata)?.deletionTimestamp !== undefined
  reader.objects(spec, 'taints', maxTaints, (taint) => {
    if (taint.key === leavingTaint) isLeaving = true
    return undefined
  })
  reader.leave()
  reader.enter('status')
  const internal: string[] = []
  const external: string[] = []
  reader.objects(status, 'addresses', maxAddresses, (entry) => {
    if (entry.type !== 'InternalIP' && entry.type !== 'ExternalIP') return undefined
    const address = decodeAddress(reader, 'address', entry.address)
    if (address === undefined) return undefined
    if (entry.type === 'InternalIP') internal.push(address)
    else external.push(address)
    return undefined
  })
  reader.leave()
  reader.finish(objectTitle('Node', value))
  return {
    kind: 'Node',
    ...meta,
    addresses: [...internal, ...external],
    podCIDRs: podCidrs.length === 0 && podCidr !== '' ? [podCidr] : podCidrs,
    ...(isLeaving ? { isLeaving } : {}),
  }
}

/** Two families; room for more. */
const maxCidrs = 16
const maxCidrCharacters = 64
const maxAddresses = 1_000
const maxTaints = 1_000

/** Set by the cluster autoscaler on a node that it is about to delete. */
const leavingTaint = 'ToBeDeletedByClusterAutoscaler'
