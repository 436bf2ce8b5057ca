import type { DecodePool } from './decode-pool.ts'
import { asJsonObject, type FieldReader, type JsonObject } from './json-fields.ts'
import { clusterScoped, type Kind, type ResourceMeta } from './resources.ts'

/** Decodes `metadata`. An absent namespace is `default` for namespaced kinds, as kubectl has it;
 *  the annotation in which kubectl keeps a copy of the whole manifest is left out, it can be
 *  large. */
export function decodeMeta(
  reader: FieldReader,
  object: JsonObject,
  scope: 'namespaced' | 'cluster',
  pool: DecodePool,
): ResourceMeta {
  const metadata = reader.object(object, 'metadata')
  reader.enter('metadata')
  const name = decodeName(reader, metadata, 'name', '')
  const namespace = scope === 'cluster' ? '' : decodeName(reader, metadata, 'namespace', 'default')
  const labels = reader.textMap(metadata, 'labels')
  const annotations = withoutAppliedManifest(reader.textMap(metadata, 'annotations'))
  const resourceVersion = reader.text(metadata, 'resourceVersion', maxVersionCharacters)
  reader.leave()
  return {
    namespace: pool.texts.intern(namespace, namespace),
    name,
    labels,
    annotations,
    resourceVersion,
  }
}

/** Refuses an object of another kind or version; items of a list may have neither field. */
export function checkKind(
  reader: FieldReader,
  object: JsonObject,
  kind: string,
  apiVersion: string,
): void {
  const foundKind = object.kind ?? kind
  if (foundKind !== kind) reader.fault('kind', foundKind, kind)
  const foundVersion = object.apiVersion ?? apiVersion
  if (foundVersion !== apiVersion) reader.fault('apiVersion', foundVersion, apiVersion)
}

/** `Service default/web` for messages, from an object that may be anything. */
export function objectTitle(kind: Kind | 'Endpoints', value: unknown): string {
  return `${kind} ${rawKey(kind, value) ?? '(without name)'}`
}

/** The key of an object that could not be decoded, or undefined when it has no usable name. */
export function rawKey(kind: Kind | 'Endpoints', value: unknown): string | undefined {
  const metadata = asJsonObject(asJsonObject(value)?.metadata)
  const name = metadata?.name
  const namespace = clusterScoped.has(kind) ? '' : (metadata?.namespace ?? 'default')
  if (typeof name !== 'string' || typeof namespace !== 'string') return undefined
  if (!namePattern.test(name.slice(0, maxNameCharacters + 1))) return undefined
  if (namespace === '') return name
  if (!namePattern.test(namespace.slice(0, maxNameCharacters + 1))) return undefined
  return `${namespace}/${name}`
}

/** RFC 1123 subdomain; the API server bounds names at 253 characters. */
const maxNameCharacters = 253
const namePattern = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/

/** Versions are decimal numbers of 64 bits today; the API only promises an opaque text. */
const maxVersionCharacters = 128

const appliedManifest = 'kubectl.kubernetes.io/last-applied-configuration'

function decodeName(
  reader: FieldReader,
  metadata: JsonObject,
  member: string,
  fallback: string,
): string {
  const value = metadata[member] ?? fallback
  if (typeof value === 'string' && namePattern.test(value)) return value
  reader.fault(member, value, 'lower case letters, digits, "-" and ".", at most 253 characters')
  return ''
}

function withoutAppliedManifest(
  annotations: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (annotations[appliedManifest] === undefined) return annotations
  const { [appliedManifest]: _, ...rest } = annotations
  return rest
}
