import type { Endpoint, EndpointSlice, Namespace, Pod, Service } from '../../kube/resources.ts'
import type { Store } from '../../kube/store.ts'
import type { StoreIndex } from '../../kube/store-index.ts'
import { AddressIndex } from './address-index.ts'

/** The objects that have names. */
export interface NamedObjects {
  readonly services: Store<Service>
  readonly slices: Store<EndpointSlice>
  readonly namespaces: Store<Namespace>
  readonly pods: Store<Pod>
}

/** Something that answers depend on: `svc NAMESPACE/NAME`, `ns NAME` or `ip ADDRESS`. */
export type Dependency = string

const noUses: ReadonlySet<Dependency> = new Set()

/** The names of a cluster: looked up in the stores themselves, beside them only addresses are indexed. A
 *  change of an object touches what it names and tells its dependencies to the listeners, after the
 *  indices are up to date and before anybody can ask. */
export class ClusterNames {
  readonly #objects: NamedObjects
  readonly #slicesByService: StoreIndex<EndpointSlice>
  readonly #servicesByAddress = new AddressIndex<Service>()
  readonly #slicesByAddress = new AddressIndex<EndpointSlice>()
  readonly #podsByAddress = new AddressIndex<Pod>()
  readonly #listeners = new Set<(changed: Dependency) => void>()
  readonly #nowSeconds: () => number
  #serial: number
  #uses: Set<Dependency> | undefined
  #isRecording = false

  /** `nowSeconds` is the Unix time. */
  constructor(objects: NamedObjects, nowSeconds: () => number) {
    this.#objects = objects
    this.#nowSeconds = nowSeconds
    this.#serial = nowSeconds()
    this.#slicesByService = objects.slices.indexBy((slice) => serviceOf(slice) || undefined)
    for (const after of objects.services.values()) this.#moveService(undefined, after)
    for (const after of objects.slices.values()) this.#moveSlice(undefined, after)
    for (const after of objects.pods.values()) this.#movePod(undefined, after)
    objects.services.subscribe(({ before, after }) => this.#moveService(before, after))
    objects.slices.subscribe(({ before, after }) => this.#moveSlice(before, after))
    objects.pods.subscribe(({ before, after }) => this.#movePod(before, after))
    objects.namespaces.subscribe(({ key }) => this.#tell(`ns ${key}`))
  }

  /** Serial of the SOA: the Unix time of the last change, as in CoreDNS. */
  get serial(): number {
    return this.#serial
  }

  /** Whether every kind was listed once: before, a name that is not found may exist. */
  get isComplete(): boolean {
    const { services, slices, namespaces, pods } = this.#objects
    return services.isSynced && slices.isSynced && namespaces.isSynced && pods.isSynced
  }

  /** Calls the listener with everything that later changes; returns the way to end that. */
  subscribe(listener: (changed: Dependency) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Runs `look` and gives what its look-ups depended on: as long as none of it changes, they would
   *  give the same again. */
  recordUses<T>(look: () => T): { readonly result: T; readonly uses: ReadonlySet<Dependency> } {
    const outer = this.#uses
    const wasRecording = this.#isRecording
    this.#uses = undefined
    this.#isRecording = true
    try {
      const result = look()
      return { result, uses: this.#uses ?? noUses }
    } finally {
      this.#uses = outer
      this.#isRecording = wasRecording
    }
  }

  hasNamespace(name: string): boolean {
    if (this.#isRecording) this.#use(`ns ${name}`)
    return this.#objects.namespaces.get(name) !== undefined
  }

  service(namespace: string, name: string): Service | undefined {
    const key = `${namespace}/${name}`
    if (this.#isRecording) this.#use(`svc ${key}`)
    return this.#objects.services.get(key)
  }

  /** The slices of a service. */
  slicesOf(service: Service): Iterable<EndpointSlice> {
    const key = `${service.namespace}/${service.name}`
    if (this.#isRecording) this.#use(`svc ${key}`)
    return this.#slicesByService.get(key)
  }

  /** Services with this cluster address. */
  servicesAt(address: string): readonly Service[] {
    if (this.#isRecording) this.#use(`ip ${address}`)
    return this.#servicesByAddress.get(address)
  }

  /** Slices with a ready endpoint of this address, each once. */
  slicesAt(address: string): readonly EndpointSlice[] {
    if (this.#isRecording) this.#use(`ip ${address}`)
    return this.#slicesByAddress.get(address)
  }

  /** Pods whose primary address this is. */
  podsAt(address: string): readonly Pod[] {
    if (this.#isRecording) this.#use(`ip ${address}`)
    return this.#podsByAddress.get(address)
  }

  services(): Iterable<Service> {
    return this.#objects.services.values()
  }

  #use(dependency: Dependency): void {
    this.#uses ??= new Set()
    this.#uses.add(dependency)
  }

  #moveService(before: Service | undefined, after: Service | undefined): void {
    for (const ip of before?.clusterIPs ?? []) this.#servicesByAddress.remove(ip, before as Service)
    for (const ip of after?.clusterIPs ?? []) this.#servicesByAddress.add(ip, after as Service)
    const service = after ?? before
    if (service !== undefined) this.#tell(`svc ${service.namespace}/${service.name}`)
    for (const ip of new Set([...(before?.clusterIPs ?? []), ...(after?.clusterIPs ?? [])])) {
      this.#tell(`ip ${ip}`)
    }
  }

  #moveSlice(before: EndpointSlice | undefined, after: EndpointSlice | undefined): void {
    const left = namesByAddress(before)
    const entered = namesByAddress(after)
    if (before !== undefined) {
      for (const address of left.keys()) this.#slicesByAddress.remove(address, before)
    }
    if (after !== undefined) {
      for (const address of entered.keys()) this.#slicesByAddress.add(address, after)
    }
    for (const service of new Set([serviceOf(before), serviceOf(after)])) {
      if (service !== '') this.#tell(`svc ${service}`)
    }
    for (const address of new Set([...left.keys(), ...entered.keys()])) {
      if (left.get(address) !== entered.get(address)) this.#tell(`ip ${address}`)
    }
  }

  #movePod(before: Pod | undefined, after: Pod | undefined): void {
    const [left, entered] = [addressOfPod(before), addressOfPod(after)]
    if (before !== undefined && left !== '') this.#podsByAddress.remove(left, before)
    if (after !== undefined && entered !== '') this.#podsByAddress.add(entered, after)
    for (const address of new Set([left, entered])) if (address !== '') this.#tell(`ip ${address}`)
  }

  #tell(changed: Dependency): void {
    this.#serial = this.#nowSeconds()
    for (const listener of this.#listeners) listener(changed)
  }
}

/** Calls `visit` for every address that has a name: of ready endpoints, and absent readiness is ready.
 *  The endpoint slice controller marks all as ready with publishNotReadyAddresses. */
export function eachReadyAddress(
  slice: EndpointSlice,
  visit: (address: string, endpoint: Endpoint) => void,
): void {
  for (const endpoint of slice.endpoints) {
    if (!endpoint.state.isReady) continue
    visit(endpoint.address, endpoint)
    for (const address of endpoint.otherAddresses) visit(address, endpoint)
  }
}

/** Key of the service that a slice belongs to; empty: none. */
function serviceOf(slice: EndpointSlice | undefined): string {
  return slice === undefined || slice.serviceName === ''
    ? ''
    : `${slice.namespace}/${slice.serviceName}`
}

/** What the reverse answer for each address of a slice depends on beside the address: an address may be that of
 *  several endpoints. */
function namesByAddress(slice: EndpointSlice | undefined): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  if (slice === undefined) return names
  eachReadyAddress(slice, (address, { hostname, podName = '' }) => {
    names.set(address, `${names.get(address) ?? slice.serviceName}, ${hostname} ${podName}`)
  })
  return names
}

/** The address that names a pod: empty when it is going or has none. */
function addressOfPod(pod: Pod | undefined): string {
  return pod === undefined || pod.isTerminating ? '' : (pod.ips[0] ?? '')
}
