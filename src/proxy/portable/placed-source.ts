import { resourceKey, type Service } from '../../kube/resources.ts'
import type { ClusterSource, Sink } from '../../kube/store.ts'
import { type PlaceTable, placesIn } from './place-table.ts'
import { servicePortKey } from './service-port.ts'

/** Where the table comes from. */
export interface PlaceTables {
  /** The table of this moment; undefined: there is none, and services have the addresses of the cluster. */
  readonly read: () => PlaceTable | undefined
  /** Calls back when another table may be there, until the signal is aborted. */
  readonly follow: (changed: () => void, signal: AbortSignal) => void
}

/** A source whose services have the addresses and ports of their places on this machine, for name servers:
 *  answers then lead to where portable mode serves. Services that have no place are left as they are. */
export function placedSource(source: ClusterSource, tables: PlaceTables): ClusterSource {
  return {
    watch(kind, selection, sink, signal) {
      if (kind !== 'Service') return source.watch(kind, selection, sink, signal)
      // The kind decides the type of the objects, which the compiler does not follow.
      const placed = new PlacedSink(sink as unknown as Sink<Service>, tables)
      tables.follow(() => placed.readAgain(), signal)
      return source.watch(kind, selection, placed as unknown as typeof sink, signal)
    },
  }
}

type Places = ReturnType<typeof placesIn>

/** Keeps the services as they are, and hands them on as they are placed. */
class PlacedSink implements Sink<Service> {
  readonly #target: Sink<Service>
  readonly #tables: PlaceTables
  readonly #services = new Map<string, Service>()
  #places: Places

  constructor(target: Sink<Service>, tables: PlaceTables) {
    this.#target = target
    this.#tables = tables
    this.#places = placesIn(tables.read()?.ports ?? [])
  }

  get(key: string): Service | undefined {
    return this.#services.get(key)
  }

  replace(services: readonly Service[]): void {
    this.#services.clear()
    for (const service of services) this.#services.set(resourceKey(service), service)
    this.#target.replace(services.map((service) => place(service, this.#places)))
  }

  set(service: Service): void {
    this.#services.set(resourceKey(service), service)
    this.#target.set(place(service, this.#places))
  }

  delete(key: string): void {
    this.#services.delete(key)
    this.#target.delete(key)
  }

  readAgain(): void {
    this.#places = placesIn(this.#tables.read()?.ports ?? [])
    for (const service of this.#services.values()) this.#target.set(place(service, this.#places))
  }
}

/** A name has one address for all ports: that of the first port that has a place. The version differs from
 *  the original's, so that who holds the one takes the other. */
function place(service: Service, places: Places): Service {
  const found = service.ports.map(({ name, protocol }) =>
    places.get(servicePortKey({ service: resourceKey(service), portName: name, protocol })),
  )
  const address = found.find((each) => each !== undefined)?.address
  if (address === undefined || service.clusterIPs.length === 0) return service
  const ports = service.ports.map((port, index) => {
    const own = found[index]
    return own?.address === address ? { ...port, port: own.port } : port
  })
  const version = ports.map(({ port }) => port).join('+')
  return {
    ...service,
    clusterIPs: [address],
    ports,
    resourceVersion:
      service.resourceVersion === '' ? '' : `${service.resourceVersion}@${address}/${version}`,
  }
}
