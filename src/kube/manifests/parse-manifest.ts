import { DecodeError } from '../../net/decode-error.ts'
import { objectTitle, rawKey } from '../decode-meta.ts'
import type { DecodePool } from '../decode-pool.ts'
import { decodeResource } from '../decode-resource.ts'
import { asJsonObject, type JsonObject } from '../json-fields.ts'
import {
  type EndpointSlice,
  type Namespace,
  type Node,
  resourceKey,
  type Service,
  type ServiceCIDR,
} from '../resources.ts'
import { contentVersion } from './content-version.ts'
import { decodeEndpoints, type LegacyEndpoints } from './decode-endpoints.ts'
import { decodeManifestPod, type ManifestPod } from './decode-pod.ts'
import { ManifestError } from './manifest-error.ts'
import { type ManifestDocument, parseDocuments } from './parse-documents.ts'

/** An object that manifests may bring; resourceVersion is a hash of the content. */
export type ManifestObject =
  | Service
  | EndpointSlice
  | Node
  | ServiceCIDR
  | Namespace
  | LegacyEndpoints
  | ManifestPod

/** What a file holds. */
export interface Manifest {
  readonly objects: readonly ManifestObject[]
  readonly refused: readonly RefusedObject[]
}

/** An object of a file that could not be decoded. */
export interface RefusedObject {
  readonly kind: string
  /** `namespace/name`, or a substitute when the object has no usable name. */
  readonly key: string
  readonly error: ManifestError
}

/** Decodes the text of a manifest file (YAML or JSON, several documents, lists). Kinds that are not
 *  consumed are left out. Throws a ManifestError, and nothing else, when the text has no
 *  structure. */
export function parseManifest(file: string, text: string, pool: DecodePool): Manifest {
  const objects: ManifestObject[] = []
  const refused: RefusedObject[] = []
  for (const document of parseDocuments(file, text)) {
    for (const item of listedItems(document.value, [], '')) {
      const outcome = decodeItem(file, document, item, pool)
      if (outcome === undefined) continue
      if ('error' in outcome) refused.push(outcome)
      else objects.push(outcome)
    }
  }
  return { objects, refused }
}

/** A document, or one item of a list in it, with the path that leads there. */
interface Item {
  readonly value: JsonObject
  readonly path: readonly (string | number)[]
}

/** Lists in lists are allowed, but not without end (YAML aliases can make circles). */
const maxListDepth = 4

function listedItems(
  value: unknown,
  path: readonly (string | number)[],
  itemKind: string,
): readonly Item[] {
  const object = asJsonObject(value)
  if (object === undefined) return value === null ? [] : [{ value: {}, path }]
  const kind = object.kind ?? itemKind
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(object.items)) {
    const isComplete = object.kind !== undefined || itemKind === ''
    return [{ value: isComplete ? object : completed(object, itemKind), path }]
  }
  if (path.length >= 2 * maxListDepth) return []
  return object.items.flatMap((item, index) =>
    listedItems(item, [...path, 'items', index], kind.slice(0, -'List'.length)),
  )
}

/** Items of a typed list (ServiceList) carry neither kind nor apiVersion. */
function completed(object: JsonObject, kind: string): JsonObject {
  const apiVersion = kind === 'EndpointSlice' ? 'discovery.k8s.io/v1' : 'v1'
  return { apiVersion, ...object, kind }
}

type ManifestKind = ManifestObject['kind']

/** The consumed kinds, their API groups and versions, and their decoders. */
const decoders: Readonly<
  Record<
    ManifestKind,
    {
      readonly group: string
      readonly decode: (value: unknown, pool: DecodePool) => ManifestObject
    }
  >
> = {
  Service: { group: '', decode: (value, pool) => decodeResource('Service', value, pool) },
  EndpointSlice: {
    group: 'discovery.k8s.io',
    decode: (value, pool) => decodeResource('EndpointSlice', value, pool),
  },
  Node: { group: '', decode: (value, pool) => decodeResource('Node', value, pool) },
  ServiceCIDR: {
    group: 'networking.k8s.io',
    decode: (value, pool) => decodeResource('ServiceCIDR', value, pool),
  },
  Namespace: { group: '', decode: (value, pool) => decodeResource('Namespace', value, pool) },
  Endpoints: { group: '', decode: decodeEndpoints },
  Pod: { group: '', decode: decodeManifestPod },
}

function decodeItem(
  file: string,
  document: ManifestDocument,
  item: Item,
  pool: DecodePool,
): ManifestObject | RefusedObject | undefined {
  const { kind, apiVersion } = item.value
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') {
    const line = document.lineOf(item.path)
    const reason = 'no Kubernetes object: expected apiVersion and kind'
    return { kind: 'object', key: `line ${line}`, error: new ManifestError({ file, line }, reason) }
  }
  const manifestKind = (Object.keys(decoders) as ManifestKind[]).find((known) => known === kind)
  if (manifestKind === undefined) return undefined
  const decoder = decoders[manifestKind]
  // Another project's kind of the same name, like Knative's Service.
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  if (group !== decoder.group) return undefined
  try {
    const object = decoder.decode(item.value, pool)
    return { ...object, resourceVersion: contentVersion(object) }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const line = document.lineOf([...item.path, ...(error.faults[0]?.path ?? [])])
    const key = rawKey(manifestKind, item.value) ?? `line ${line}`
    const title = objectTitle(manifestKind, item.value)
    const reason = error.message.startsWith(title) ? error.message : `${title}: ${error.message}`
    return { kind: manifestKind, key, error: new ManifestError({ file, line }, reason) }
  }
}

/** The identity of an object among all files. */
export function manifestObjectId(object: ManifestObject): string {
  return `${object.kind} ${resourceKey(object)}`
}
