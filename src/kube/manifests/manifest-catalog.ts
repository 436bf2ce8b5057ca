import {
  type EndpointSlice,
  type Kind,
  type Namespace,
  type Node,
  type Resources,
  resourceKey,
  type Service,
  type ServiceCIDR,
} from '../resources.ts'
import type { Sink } from '../store.ts'
import type { LegacyEndpoints } from './decode-endpoints.ts'
import type { ManifestPod } from './decode-pod.ts'
import { slicesOfEndpoints, slicesOfPods } from './generate-slices.ts'
import { ImpliedNamespaces } from './implied-namespaces.ts'
import { type ManifestObject, manifestObjectId } from './parse-manifest.ts'
import { ServiceAllocator } from './service-allocator.ts'

/** Where the catalog puts the objects that are in force. */
export type CatalogSinks = {
  readonly [K in Kind]: Pick<Sink<Resources[K]>, 'get' | 'set' | 'delete'>
}

/** Told when two files hold the same object; the first file in the order of names is used. */
export type DoubledReport = (doubled: {
  readonly object: ManifestObject
  readonly usedFile: string
  readonly ignoredFile: string
}) => void

const zoneLabel = 'topology.kubernetes.io/zone'

/** Turns the objects of files into the objects of a cluster: resolves doubles, allocates cluster
 *  addresses and generates slices. A slice is generated from Endpoints for a service without a
 *  slice of its own, and from pods when it has neither and has a selector. The work is proportional
 *  to the objects that a file changed (and to the services of their namespaces, for pods). */
export class ManifestCatalog {
  readonly #sinks: CatalogSinks
  readonly #reportDoubled: DoubledReport
  readonly #files = new Map<string, readonly ManifestObject[]>()
  /** By object id: the file that each candidate comes from, in the order of names. */
  readonly #candidates = new Map<string, { file: string; object: ManifestObject }[]>()
  readonly #services = new Map<string, Map<string, Service>>()
  readonly #pods = new Map<string, Map<string, ManifestPod>>()
  readonly #endpoints = new Map<string, LegacyEndpoints>()
  /** Keys of hand-written slices by service key. */
  readonly #ownSlices = new Map<string, Set<string>>()
  readonly #generatedSlices = new Map<string, readonly string[]>()
  /** Services with generated endpoints on a node, now or earlier. */
  readonly #servicesByNode = new Map<string, Set<string>>()
  readonly #allocator = new ServiceAllocator()
  readonly #namespaces: ImpliedNamespaces

  constructor(sinks: CatalogSinks, reportDoubled: DoubledReport) {
    this.#sinks = sinks
    this.#namespaces = new ImpliedNamespaces(sinks.Namespace)
    this.#reportDoubled = reportDoubled
  }

  /** The objects of a file as they are in force now. */
  objectsOf(file: string): readonly ManifestObject[] {
    return this.#files.get(file) ?? []
  }

  /** Replaces what the file holds; an empty list forgets the file. */
  setFile(file: string, objects: readonly ManifestObject[]): void {
    const before = new Map<string, ManifestObject | undefined>()
    const doubled = new Set<string>()
    for (const object of [...this.objectsOf(file), ...objects]) {
      const id = manifestObjectId(object)
      const candidates = this.#candidates.get(id) ?? []
      before.set(id, candidates[0]?.object)
      if (candidates.length > 1) doubled.add(id)
    }
    for (const object of this.objectsOf(file)) this.#removeCandidate(file, object)
    for (const object of objects) this.#addCandidate(file, object, doubled)
    if (objects.length === 0) this.#files.delete(file)
    else this.#files.set(file, objects)
    const dirty = new Set<string>()
    for (const [id, old] of before) {
      const current = this.#candidates.get(id)?.[0]?.object
      if (old?.resourceVersion === current?.resourceVersion) continue
      this.#apply(old, current, dirty)
    }
    for (const serviceKey of dirty) this.#generate(serviceKey)
  }

  #addCandidate(file: string, object: ManifestObject, doubled: ReadonlySet<string>): void {
    const id = manifestObjectId(object)
    const candidates = this.#candidates.get(id) ?? []
    candidates.push({ file, object })
    // Stable: of two equal objects in one file the first is used.
    candidates.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0))
    this.#candidates.set(id, candidates)
    const [used, ignored] = candidates
    if (used === undefined || ignored === undefined || doubled.has(id)) return
    this.#reportDoubled({ object, usedFile: used.file, ignoredFile: ignored.file })
  }

  #removeCandidate(file: string, object: ManifestObject): void {
    const id = manifestObjectId(object)
    const rest = this.#candidates.get(id)?.filter((candidate) => candidate.file !== file) ?? []
    if (rest.length === 0) this.#candidates.delete(id)
    else this.#candidates.set(id, rest)
  }

  /** Applies one object that came, changed or went; adds the services whose slices may change. */
  #apply(
    before: ManifestObject | undefined,
    after: ManifestObject | undefined,
    dirty: Set<string>,
  ): void {
    const kind = (after ?? before)?.kind
    this.#namespaces.count(before, after)
    if (kind === 'Service') this.#applyService(before as Service, after as Service, dirty)
    else if (kind === 'EndpointSlice') {
      this.#applySlice(before as EndpointSlice, after as EndpointSlice, dirty)
    } else if (kind === 'Node') this.#applyNode(before as Node, after as Node, dirty)
    else if (kind === 'ServiceCIDR') {
      if (after !== undefined) this.#sinks.ServiceCIDR.set(after as ServiceCIDR)
      else if (before !== undefined) this.#sinks.ServiceCIDR.delete(resourceKey(before))
    } else if (kind === 'Namespace') {
      this.#namespaces.write((after ?? before)?.name ?? '', after as Namespace | undefined)
    } else if (kind === 'Endpoints') {
      this.#applyEndpoints(before as LegacyEndpoints, after as LegacyEndpoints, dirty)
    } else if (kind === 'Pod') this.#applyPod(before as ManifestPod, after as ManifestPod, dirty)
  }

  #applyService(before: Service | undefined, after: Service | undefined, dirty: Set<string>): void {
    const object = after ?? before
    if (object === undefined) return
    const key = resourceKey(object)
    dirty.add(key)
    setNested(this.#services, object.namespace, key, after)
    const moved = this.#allocator.replace(key, before, after)
    if (after === undefined) this.#sinks.Service.delete(key)
    for (const each of moved) {
      const service = this.#services.get(each.slice(0, each.indexOf('/')))?.get(each)
      if (service !== undefined) this.#sinks.Service.set(this.#allocator.complete(each, service))
    }
    if (after !== undefined) this.#sinks.Service.set(this.#allocator.complete(key, after))
  }

  #applySlice(
    before: EndpointSlice | undefined,
    after: EndpointSlice | undefined,
    dirty: Set<string>,
  ): void {
    for (const [slice, isThere] of [
      [before, false],
      [after, true],
    ] as const) {
      if (slice === undefined || slice.serviceName === '') continue
      const serviceKey = `${slice.namespace}/${slice.serviceName}`
      const keys = this.#ownSlices.get(serviceKey) ?? new Set()
      if (isThere) keys.add(resourceKey(slice))
      else keys.delete(resourceKey(slice))
      if (keys.size === 0) this.#ownSlices.delete(serviceKey)
      else this.#ownSlices.set(serviceKey, keys)
      dirty.add(serviceKey)
    }
    if (after !== undefined) this.#sinks.EndpointSlice.set(after)
    else if (before !== undefined) this.#sinks.EndpointSlice.delete(resourceKey(before))
  }

  #applyNode(before: Node | undefined, after: Node | undefined, dirty: Set<string>): void {
    if (after !== undefined) this.#sinks.Node.set(after)
    else if (before !== undefined) this.#sinks.Node.delete(resourceKey(before))
    // Generated endpoints carry the zone of their node.
    if (before?.labels[zoneLabel] === after?.labels[zoneLabel]) return
    const name = (after ?? before)?.name ?? ''
    for (const serviceKey of this.#servicesByNode.get(name) ?? []) dirty.add(serviceKey)
  }

  #applyEndpoints(
    before: LegacyEndpoints | undefined,
    after: LegacyEndpoints | undefined,
    dirty: Set<string>,
  ): void {
    if (after !== undefined) this.#endpoints.set(resourceKey(after), after)
    else if (before !== undefined) this.#endpoints.delete(resourceKey(before))
    for (const object of [before, after]) if (object !== undefined) dirty.add(resourceKey(object))
  }

  #applyPod(
    before: ManifestPod | undefined,
    after: ManifestPod | undefined,
    dirty: Set<string>,
  ): void {
    const object = after ?? before
    if (object === undefined) return
    setNested(this.#pods, object.namespace, resourceKey(object), after)
    if (after !== undefined) this.#sinks.Pod.set(after)
    else this.#sinks.Pod.delete(resourceKey(object))
    for (const [key, service] of this.#services.get(object.namespace) ?? []) {
      if (selects(service, before) || selects(service, after)) dirty.add(key)
    }
  }

  #generate(serviceKey: string): void {
    const slices = this.#ownSlices.has(serviceKey) ? [] : this.#generatedFor(serviceKey)
    const keys = slices.map(resourceKey)
    const sink = this.#sinks.EndpointSlice
    for (const key of this.#generatedSlices.get(serviceKey) ?? []) {
      if (!keys.includes(key)) sink.delete(key)
    }
    for (const slice of slices) {
      sink.set(slice)
      for (const { state } of slice.endpoints) this.#noteNode(state.nodeName, serviceKey)
    }
    if (keys.length === 0) this.#generatedSlices.delete(serviceKey)
    else this.#generatedSlices.set(serviceKey, keys)
  }

  #noteNode(nodeName: string, serviceKey: string): void {
    const services = this.#servicesByNode.get(nodeName) ?? new Set()
    services.add(serviceKey)
    this.#servicesByNode.set(nodeName, services)
  }

  #generatedFor(serviceKey: string): readonly EndpointSlice[] {
    const endpoints = this.#endpoints.get(serviceKey)
    if (endpoints !== undefined) return slicesOfEndpoints(endpoints, this.#zoneOf)
    const namespace = serviceKey.slice(0, serviceKey.indexOf('/'))
    const service = this.#services.get(namespace)?.get(serviceKey)
    if (service === undefined) return []
    const pods = [...(this.#pods.get(namespace)?.values() ?? [])]
      .filter((pod) => selects(service, pod))
      // Not the order of the files: every node and every start must have equal slices.
      .sort((one, other) => (one.name < other.name ? -1 : 1))
    return slicesOfPods(service, pods, this.#zoneOf)
  }

  #zoneOf = (nodeName: string): string => this.#sinks.Node.get(nodeName)?.labels[zoneLabel] ?? ''
}

/** An empty selector selects nothing: the service's endpoints are somebody else's matter. */
function selects(service: Service, pod: ManifestPod | undefined): boolean {
  const wanted = Object.entries(service.selector)
  if (pod === undefined || wanted.length === 0 || service.type === 'ExternalName') return false
  return wanted.every(([label, value]) => pod.labels[label] === value)
}

function setNested<T>(
  maps: Map<string, Map<string, T>>,
  namespace: string,
  key: string,
  value: T | undefined,
): void {
  const map = maps.get(namespace) ?? new Map<string, T>()
  if (value === undefined) map.delete(key)
  else map.set(key, value)
  if (map.size === 0) maps.delete(namespace)
  else maps.set(namespace, map)
}
