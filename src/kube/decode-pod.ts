import { decodeAddress } from './decode-address.ts'
import { checkKind, decodeMeta, objectTitle } from './decode-meta.ts'
import type { DecodePool } from './decode-pool.ts'
import { asJsonObject, FieldReader, type JsonObject } from './json-fields.ts'
import type { Pod } from './resources.ts'

/** Decodes the identity and the addresses of a core/v1 Pod. Throws a DecodeError that names the object
 *  and all faults. */
export function decodePod(value: unknown, pool: DecodePool): Pod {
  const reader = new FieldReader()
  const object = asJsonObject(value) ?? {}
  checkKind(reader, object, 'Pod', 'v1')
  const meta = decodeMeta(reader, object, 'namespaced', pool)
  const metadata = reader.object(object, 'metadata')
  const status = reader.object(object, 'status')
  reader.enter('status')
  const ips = decodePodIps(reader, status)
  reader.leave()
  reader.finish(objectTitle('Pod', value))
  return {
    kind: 'Pod',
    ...meta,
    ips,
    isTerminating: typeof metadata.deletionTimestamp === 'string',
  }
}

/** Validation allows one of each family. */
const maxIps = 1_000

/** Addresses of a pod that runs or will run: one that has ended keeps them in its status, but no longer
 *  owns them. */
export function decodePodIps(reader: FieldReader, status: JsonObject): readonly string[] {
  const phase = reader.text(status, 'phase', 63)
  const ips = reader.objects(status, 'podIPs', maxIps, (entry) =>
    decodeAddress(reader, 'ip', entry.ip),
  )
  const first = status.podIP ?? ''
  if (phase === 'Failed' || phase === 'Succeeded') return []
  if (ips.length > 0 || first === '') return ips
  const address = decodeAddress(reader, 'podIP', first)
  return address === undefined ? [] : [address]
}
