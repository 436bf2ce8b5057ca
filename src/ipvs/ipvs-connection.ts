import type { Decoded } from '../netlink/attribute-kinds.ts'
import type { AttributeWriter } from '../netlink/attribute-writer.ts'
import { decodeAttributes, encodeAttributes } from '../netlink/attributes.ts'
import { GenericConnection, type SentRequests } from '../netlink/generic.ts'
import {
  decodeDestination,
  decodeServer,
  decodeStatistics,
  encodeDestination,
  encodeServer,
  encodeServerKey,
} from './ipvs-codec.ts'
import {
  commandAttributes,
  informationAttributes,
  ipvsCommands,
  ipvsFamily,
} from './ipvs-tables.ts'
import {
  type Destination,
  type DestinationState,
  formatDestination,
  formatServerKey,
  type ServerStatistics,
  type VirtualServer,
  type VirtualServerKey,
} from './virtual-server.ts'

/** One change of the kernel's IPVS tables. */
export type IpvsOperation =
  | { readonly kind: 'add-server' | 'edit-server'; readonly server: VirtualServer }
  | { readonly kind: 'delete-server'; readonly key: VirtualServerKey }
  | {
      readonly kind: 'add-destination' | 'edit-destination' | 'delete-destination'
      readonly key: VirtualServerKey
      readonly destination: Destination
    }

/** Seconds after which the kernel forgets idle connections; 0 leaves a value as it is. */
export interface IpvsTimeouts {
  readonly tcp: number
  readonly tcpFin: number
  readonly udp: number
}

/** A virtual server and what the kernel has counted for it. */
export interface ListedServer {
  readonly server: VirtualServer
  readonly statistics: ServerStatistics
}

/** IPVS of the network namespace in which it was opened. Synchronous. Reading and writing need
 *  CAP_NET_ADMIN. */
export class IpvsConnection {
  readonly #generic: GenericConnection

  private constructor(generic: GenericConnection) {
    this.#generic = generic
  }

  /** Throws a NetlinkError (ENOENT) when the kernel has no IPVS and cannot load the module ip_vs. */
  static open(): IpvsConnection {
    return new IpvsConnection(GenericConnection.open(ipvsFamily.name, ipvsFamily.version))
  }

  /** The version of IPVS, as in `1.2.1`, and the size of the table of connections. */
  information(): { readonly version: string; readonly connectionTableSize: number } {
    let found: Decoded<typeof informationAttributes> = {}
    const nothing = () => {}
    const describe = () => 'get information'
    this.#generic.get(ipvsCommands.getInformation, nothing, describe, (bytes, start, end) => {
      found = decodeAttributes(informationAttributes, bytes, 'ipvs information', start, end)
    })
    const { version = 0, connectionTableSize = 0 } = found
    const parts = [(version >> 16) & 0xff, (version >> 8) & 0xff, version & 0xff]
    return { version: parts.join('.'), connectionTableSize }
  }

  /** All virtual servers of protocols that services can have, in no order. */
  listServers(): ListedServer[] {
    const found: ListedServer[] = []
    this.#dump(ipvsCommands.getService, {}, 'list virtual servers', (value) => {
      if (value.service === undefined) return
      const server = decodeServer(value.service)
      const statistics = decodeStatistics(value.service)
      if (server !== undefined) found.push({ server, statistics })
    })
    return found
  }

  /** The destinations of a virtual server; none when there is no such server. */
  listDestinations(key: VirtualServerKey): DestinationState[] {
    const found: DestinationState[] = []
    const request = { service: encodeServerKey(key) }
    const operation = `list destinations of ${formatServerKey(key)}`
    this.#dump(ipvsCommands.getDestination, request, operation, ({ destination }) => {
      if (destination !== undefined) found.push(decodeDestination(destination, key.family))
    })
    return found
  }

  /** Hands operations to the kernel, in order. They are no transaction: a NetlinkError names those that were
   *  refused, the others have taken effect. */
  apply(operations: readonly IpvsOperation[]): SentRequests {
    return this.#generic.send(
      operations.map((operation) => ({
        command: commands[operation.kind],
        write: (writer: AttributeWriter) =>
          encodeAttributes(writer, commandAttributes, encodeOperation(operation)),
        describe: () => describeOperation(operation),
      })),
    )
  }

  timeouts(): IpvsTimeouts {
    let found: IpvsTimeouts = { tcp: 0, tcpFin: 0, udp: 0 }
    const nothing = () => {}
    const describe = () => 'get timeouts'
    this.#generic.get(ipvsCommands.getConfiguration, nothing, describe, (bytes, start, end) => {
      const value = decodeAttributes(commandAttributes, bytes, 'ipvs timeouts', start, end)
      const { tcpTimeout: tcp = 0, tcpFinTimeout: tcpFin = 0, udpTimeout: udp = 0 } = value
      found = { tcp, tcpFin, udp }
    })
    return found
  }

  setTimeouts({ tcp, tcpFin, udp }: IpvsTimeouts): void {
    const value = { tcpTimeout: tcp, tcpFinTimeout: tcpFin, udpTimeout: udp }
    this.#generic.send([
      {
        command: ipvsCommands.setConfiguration,
        write: (writer) => encodeAttributes(writer, commandAttributes, value),
        describe: () => `set timeouts tcp ${tcp} s, tcp-fin ${tcpFin} s, udp ${udp} s`,
      },
    ])
  }

  close(): void {
    this.#generic.close()
  }

  #dump(
    command: number,
    request: Decoded<typeof commandAttributes>,
    operation: string,
    visit: (value: Decoded<typeof commandAttributes>) => void,
  ): void {
    this.#generic.dump(
      command,
      (writer) => encodeAttributes(writer, commandAttributes, request),
      () => operation,
      (bytes, start, end) =>
        visit(decodeAttributes(commandAttributes, bytes, `ipvs: ${operation}`, start, end)),
    )
  }
}

const commands: Readonly<Record<IpvsOperation['kind'], number>> = {
  'add-server': ipvsCommands.newService,
  'edit-server': ipvsCommands.setService,
  'delete-server': ipvsCommands.deleteService,
  'add-destination': ipvsCommands.newDestination,
  'edit-destination': ipvsCommands.setDestination,
  'delete-destination': ipvsCommands.deleteDestination,
}

function encodeOperation(operation: IpvsOperation): Decoded<typeof commandAttributes> {
  switch (operation.kind) {
    case 'add-server':
    case 'edit-server':
      return { service: encodeServer(operation.server) }
    case 'delete-server':
      return { service: encodeServerKey(operation.key) }
    default:
      return {
        service: encodeServerKey(operation.key),
        destination: encodeDestination(operation.destination),
      }
  }
}

/** `add destination 10.1.0.4:8080 weight 1 of virtual server TCP 10.96.0.10:80`. */
export function describeOperation(operation: IpvsOperation): string {
  const verb = operation.kind.slice(0, operation.kind.indexOf('-'))
  switch (operation.kind) {
    case 'add-server':
    case 'edit-server': {
      const { key, scheduler } = operation.server
      return `${verb} virtual server ${formatServerKey(key)} scheduler ${scheduler}`
    }
    case 'delete-server':
      return `${verb} virtual server ${formatServerKey(operation.key)}`
    default: {
      const { destination, key } = operation
      const weight = operation.kind === 'delete-destination' ? '' : ` weight ${destination.weight}`
      const name = formatDestination(destination)
      return `${verb} destination ${name}${weight} of virtual server ${formatServerKey(key)}`
    }
  }
}
