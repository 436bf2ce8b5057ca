import type { Service, ServicePort } from '../resources.ts'
import {
  allocateResource,
  clusterIpRange,
  nodePortRange,
  type ResourceRange,
} from './allocate-resource.ts'
import { contentVersion } from './content-version.ts'

/** Gives the services of manifests the cluster address and the node ports that they leave open, as
 *  an API server would. A written one has precedence: whoever had it by allocation moves. Node
 *  ports are allocated for type NodePort only; a load balancer of a manifest may do without. */
export class ServiceAllocator {
  /** By resource (address, or port and protocol): the services in whose manifests it is written. */
  readonly #writers = new Map<string, Set<string>>()
  /** By resource: the slot that it was allocated for. */
  readonly #owners = new Map<string, string>()
  /** By slot: what was allocated for it. */
  readonly #allocated = new Map<string, string>()

  /** Notes that a service came, changed or went. Gives the keys of the services that have to be
   *  completed anew because they must move. */
  replace(key: string, before: Service | undefined, after: Service | undefined): readonly string[] {
    const moved = new Set<string>()
    for (const resource of before === undefined ? [] : writtenResources(before)) {
      const writers = this.#writers.get(resource)
      writers?.delete(key)
      if (writers?.size === 0) this.#writers.delete(resource)
    }
    const kept = new Set(after === undefined ? [] : openSlots(key, after).map(({ name }) => name))
    for (const { name } of before === undefined ? [] : openSlots(key, before)) {
      if (!kept.has(name)) this.#free(name)
    }
    for (const resource of after === undefined ? [] : writtenResources(after)) {
      const owner = this.#owners.get(resource)
      if (owner !== undefined) {
        this.#free(owner)
        moved.add(serviceOfSlot(owner))
      }
      this.#writers.set(resource, (this.#writers.get(resource) ?? new Set()).add(key))
    }
    return [...moved].filter((each) => each !== key)
  }

  /** The service with everything that it left open; itself when that is nothing. */
  complete(key: string, service: Service): Service {
    const slots = openSlots(key, service)
    if (slots.length === 0) return service
    const found = new Map(slots.map((slot) => [slot.name, this.#resourceOf(slot)]))
    const address = found.get(addressSlot(key))
    const completed: Service = {
      ...service,
      clusterIPs: address === undefined ? service.clusterIPs : [address],
      ports: service.ports.map((port) => {
        const resource = found.get(portSlot(key, port))
        return resource === undefined ? port : { ...port, nodePort: Number.parseInt(resource, 10) }
      }),
    }
    return { ...completed, resourceVersion: contentVersion(completed) }
  }

  #resourceOf({ name, range, suffix }: Slot): string | undefined {
    const known = this.#allocated.get(name)
    if (known !== undefined) return known
    const free = allocateResource(name, range, (each) => {
      return this.#owners.has(each + suffix) || this.#writers.has(each + suffix)
    })
    if (free === undefined) return undefined
    this.#allocated.set(name, free + suffix)
    this.#owners.set(free + suffix, name)
    return free + suffix
  }

  #free(slot: string): void {
    const resource = this.#allocated.get(slot)
    if (resource === undefined) return
    this.#allocated.delete(slot)
    this.#owners.delete(resource)
  }
}

/** Something that a service leaves open. */
interface Slot {
  /** `namespace/name`, a space, and what it is. */
  readonly name: string
  readonly range: ResourceRange
  /** Two protocols may have the same node port: the protocol belongs to the resource. */
  readonly suffix: string
}

function writtenResources(service: Service): readonly string[] {
  const ports = service.ports.filter(({ nodePort }) => nodePort !== 0)
  return [
    ...service.clusterIPs,
    ...ports.map(({ nodePort, protocol }) => `${nodePort}/${protocol}`),
  ]
}

function openSlots(key: string, service: Service): readonly Slot[] {
  if (service.isHeadless || service.type === 'ExternalName') return []
  const address = { name: addressSlot(key), range: clusterIpRange, suffix: '' }
  const openPorts = service.type === 'NodePort' ? service.ports : []
  return [
    ...(service.clusterIPs.length === 0 ? [address] : []),
    ...openPorts
      .filter(({ nodePort }) => nodePort === 0)
      .map((port) => ({
        name: portSlot(key, port),
        range: nodePortRange,
        suffix: `/${port.protocol}`,
      })),
  ]
}

function addressSlot(key: string): string {
  return `${key} address`
}

function portSlot(key: string, port: ServicePort): string {
  return `${key} ${port.port}/${port.protocol}`
}

function serviceOfSlot(slot: string): string {
  return slot.slice(0, slot.indexOf(' '))
}
