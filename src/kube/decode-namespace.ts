import { checkKind, decodeMeta, objectTitle } from './decode-meta.ts'
import type { DecodePool } from './decode-pool.ts'
import { asJsonObject, FieldReader } from './json-fields.ts'
import type { Namespace } from './resources.ts'

/** Decodes a core/v1 Namespace: its name and labels. Throws a DecodeError that names the object and
 *  all faults. */
export function decodeNamespace(value: unknown, pool: DecodePool): Namespace {
  const reader = new FieldReader()
  const object = asJsonObject(value) ?? {}
  checkKind(reader, object, 'Namespace', 'v1')
  const meta = decodeMeta(reader, object, 'cluster', pool)
  reader.finish(objectTitle('Namespace', value))
  return { kind: 'Namespace', ...meta }
}
