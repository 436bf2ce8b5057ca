import type { ServerProgram } from './compile-service.ts'
import type { IpvsOperation } from './ipvs-connection.ts'
import type { Destination, VirtualServer } from './virtual-server.ts'

/** A virtual server as the kernel has it. Destinations of weight 0 that nobody wants are draining. */
export interface PresentServer {
  readonly server: VirtualServer
  /** By `formatDestination`. */
  readonly destinations: ReadonlyMap<string, Destination>
}

/** What makes a virtual server equal to the program. `opening` comes before the rules that lead flows to it
 *  are written, `closing` after. */
export interface ServerDifference {
  readonly opening: readonly IpvsOperation[]
  readonly closing: readonly IpvsOperation[]
  /** What the kernel has afterwards; undefined: no such server. */
  readonly present: PresentServer | undefined
}

/** Compares one virtual server. A destination that leaves gets weight 0 when its connections can drain, and
 *  stays; the caller removes it when they have ended. `isServed`: the frontend exists, if only to refuse. */
export function diffServer(
  present: PresentServer | undefined,
  wanted: ServerProgram | undefined,
  isServed: boolean,
): ServerDifference {
  if (wanted === undefined) return leaveServer(present, isServed)
  if (present === undefined) return makeServer(wanted)
  const { server } = wanted
  const { key } = server
  const opening: IpvsOperation[] = []
  const closing: IpvsOperation[] = []
  const after = new Map(wanted.destinations)
  if (!isSameServer(present.server, server)) opening.push({ kind: 'edit-server', server })
  for (const [name, destination] of wanted.destinations) {
    const found = present.destinations.get(name)
    if (found === undefined) opening.push({ kind: 'add-destination', key, destination })
    else if (found.weight !== destination.weight) {
      opening.push({ kind: 'edit-destination', key, destination })
    }
  }
  for (const [name, destination] of present.destinations) {
    if (wanted.destinations.has(name)) continue
    if (!wanted.drains) closing.push({ kind: 'delete-destination', key, destination })
    else after.set(name, quiet(key, destination, closing))
  }
  return { opening, closing, present: { server, destinations: after } }
}

/** Whether two virtual servers schedule alike. */
export function isSameServer(left: VirtualServer, right: VirtualServer): boolean {
  return (
    left.scheduler === right.scheduler &&
    left.flags === right.flags &&
    left.timeoutSeconds === right.timeoutSeconds
  )
}

function makeServer(wanted: ServerProgram): ServerDifference {
  const { server, destinations } = wanted
  const added = [...destinations.values()].map((destination): IpvsOperation => {
    return { kind: 'add-destination', key: server.key, destination }
  })
  return { opening: [{ kind: 'add-server', server }, ...added], closing: [], present: wanted }
}

/** The kernel ends the connections of a server that is deleted; so one that only has no endpoint left
 *  stays until its connections have ended. */
function leaveServer(present: PresentServer | undefined, isServed: boolean): ServerDifference {
  if (present === undefined) return { opening: [], closing: [], present: undefined }
  const { key } = present.server
  const drains = isServed && key.kind === 'address' && key.protocol === 'TCP'
  if (!drains || present.destinations.size === 0) {
    return { opening: [], closing: [{ kind: 'delete-server', key }], present: undefined }
  }
  const closing: IpvsOperation[] = []
  const after = new Map<string, Destination>()
  for (const [name, destination] of present.destinations) {
    after.set(name, quiet(key, destination, closing))
  }
  return { opening: [], closing, present: { server: present.server, destinations: after } }
}

function quiet(
  key: VirtualServer['key'],
  destination: Destination,
  closing: IpvsOperation[],
): Destination {
  if (destination.weight === 0) return destination
  const draining = { ...destination, weight: 0 }
  closing.push({ kind: 'edit-destination', key, destination: draining })
  return draining
}
