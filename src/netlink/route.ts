import { addressBytes, type Family, familyOf, writeAddress } from '../net/address.ts'
import { AttributeWriter } from './attribute-writer.ts'
import { encodeAttributes } from './attributes.ts'
import { MessageReader, messageFlags } from './message-reader.ts'
import {
  addressHeaderBytes,
  decodeInterfaceAddress,
  decodeLink,
  type InterfaceAddress,
  type Link,
  linkHeaderBytes,
  protocolFamilies,
} from './route-objects.ts'
import {
  addressAttributes,
  linkAttributes,
  routeAttributes,
  routeMessages,
  ruleAttributes,
} from './route-tables.ts'
import { NetlinkSocket, netlinkProtocols } from './socket.ts'

const { ack, create, dump, exclusive, request } = messageFlags
/** VETH_INFO_PEER; linux/veth.h */
const vethPeer = 1
/** sizeof(struct rtmsg) */
const routeHeaderBytes = 12
/** RT_TABLE_LOCAL, RT_TABLE_MAIN; RTPROT_STATIC; RT_SCOPE_*; RTN_*; linux/rtnetlink.h */
const tables = { local: 255, main: 254 }
const staticProtocol = 4
const routeScopes = { global: 0, link: 253, host: 254 }
const routeTypes = { unicast: 1, local: 2 }
/** struct fib_rule_hdr, its action, FR_ACT_TO_TBL; linux/fib_rules.h */
const ruleHeaderBytes = 12
const ruleActionAt = 7
const toTable = 1

/** A route to add or delete. */
export interface Route {
  /** Canonical address and the bits of it that count. */
  readonly destination: string
  readonly prefixLength: number
  /** `local`: the node itself answers for the destination (table local); `unicast`: sent on. */
  readonly type: 'unicast' | 'local'
  readonly interfaceIndex?: number
  readonly gateway?: string
  /** Number of the table, if it is not the usual one of the type. */
  readonly table?: number
}

/** A rule by which packets with a mark are routed by a table of their own. */
export interface MarkRule {
  readonly family: Family
  /** Rules are asked in this order, the smallest number first. */
  readonly priority: number
  /** The bits of the mark that must be set. */
  readonly mark: number
  readonly table: number
}

/** Interfaces, addresses and routes of the network namespace in which it was opened. Synchronous. Writing needs
 *  CAP_NET_ADMIN. */
export class RouteConnection {
  readonly #socket: NetlinkSocket
  readonly #writer = new AttributeWriter()

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  static open(): RouteConnection {
    return new RouteConnection(NetlinkSocket.open('route', netlinkProtocols.route))
  }

  listLinks(): Link[] {
    return this.#list(routeMessages.getLink, linkHeaderBytes, 'list interfaces', decodeLink)
  }

  /** Addresses of all interfaces, IPv4 and IPv6. */
  listAddresses(): InterfaceAddress[] {
    const { getAddress } = routeMessages
    return this.#list(getAddress, addressHeaderBytes, 'list addresses', decodeInterfaceAddress)
  }

  /** Adds a virtual link of a kind without parameters: `dummy`, `bridge`. EEXIST if the name is taken. */
  addLink(name: string, kind: string): void {
    this.#changeLink(routeMessages.newLink, create | exclusive, 0, `add link ${name}`, (writer) =>
      encodeAttributes(writer, linkAttributes, { name, info: { kind } }),
    )
  }

  /** Adds two links that are the ends of one cable. */
  addVethPair(name: string, peer: string): void {
    const describe = `add link ${name} with peer ${peer}`
    this.#changeLink(routeMessages.newLink, create | exclusive, 0, describe, (writer) => {
      writer.string(linkAttributes.name.id, name)
      const info = writer.nest(linkAttributes.info.id)
      writer.string(1, 'veth')
      const data = writer.nest(2)
      const end = writer.nest(vethPeer)
      writer.structure(new Uint8Array(linkHeaderBytes))
      writer.string(linkAttributes.name.id, peer)
      writer.close(end)
      writer.close(data)
      writer.close(info)
    })
  }

  deleteLink(index: number): void {
    this.#changeLink(routeMessages.deleteLink, 0, index, `delete link ${index}`, () => {})
  }

  /** Brings an interface up, or down. */
  setLinkUp(index: number, isUp = true): void {
    const operation = `set link ${index} ${isUp ? 'up' : 'down'}`
    this.#changeLink(routeMessages.newLink, 0, index, operation, () => {}, isUp ? 1 : 0, 1)
  }

  /** Adds an address to an interface; EEXIST if it is there. IPv6 addresses are usable at once (nodad). */
  addAddress(interfaceIndex: number, address: string, prefixLength: number): void {
    const flags = create | exclusive
    this.#changeAddress(routeMessages.newAddress, flags, interfaceIndex, address, prefixLength)
  }

  /** Deletes an address of an interface; EADDRNOTAVAIL if it is not there. */
  deleteAddress(interfaceIndex: number, address: string, prefixLength: number): void {
    this.#changeAddress(routeMessages.deleteAddress, 0, interfaceIndex, address, prefixLength)
  }

  addRoute(route: Route): void {
    this.#changeRoute(routeMessages.newRoute, create | exclusive, 'add', route)
  }

  /** Deletes a route; ESRCH if it is not there. */
  deleteRoute(route: Route): void {
    this.#changeRoute(routeMessages.deleteRoute, 0, 'delete', route)
  }

  /** Adds a rule; EEXIST if it is there. */
  addRule(rule: MarkRule): void {
    this.#changeRule(routeMessages.newRule, create | exclusive, 'add', rule)
  }

  /** Deletes a rule; ENOENT if it is not there. */
  deleteRule(rule: MarkRule): void {
    this.#changeRule(routeMessages.deleteRule, 0, 'delete', rule)
  }

  close(): void {
    this.#socket.close()
  }

  #list<T>(
    type: number,
    headerBytes: number,
    operation: string,
    decode: (bytes: Uint8Array, start: number, end: number) => T | undefined,
  ): T[] {
    const bytes = this.#socket.dump(
      (sequence) => {
        this.#writer.truncate()
        const start = this.#writer.beginMessage(type, request | dump, sequence)
        this.#writer.structure(new Uint8Array(headerBytes))
        this.#writer.endMessage(start)
        return this.#writer.written()
      },
      () => operation,
    )
    const found: T[] = []
    const reader = new MessageReader(bytes)
    while (reader.next()) {
      const item = decode(bytes, reader.start, reader.end)
      if (item !== undefined) found.push(item)
    }
    return found
  }

  #changeLink(
    type: number,
    flags: number,
    index: number,
    operation: string,
    attributes: (writer: AttributeWriter) => void,
    linkFlags = 0,
    changedFlags = 0,
  ): void {
    const header = new Uint8Array(linkHeaderBytes)
    const view = new DataView(header.buffer)
    view.setInt32(4, index, true)
    view.setUint32(8, linkFlags, true)
    view.setUint32(12, changedFlags, true)
    this.#change(type, flags, header, operation, attributes)
  }

  #changeAddress(
    type: number,
    flags: number,
    index: number,
    address: string,
    prefixLength: number,
  ): void {
    const family = familyOf(address)
    // IFA_F_NODAD: a service address must not wait for neighbours to object.
    const noDetection = family === 6 ? 0x02 : 0
    const header = new Uint8Array([
      protocolFamilies[family],
      prefixLength,
      noDetection,
      0,
      0,
      0,
      0,
      0,
    ])
    new DataView(header.buffer).setUint32(4, index, true)
    const verb = type === routeMessages.newAddress ? 'add' : 'delete'
    const operation = `${verb} address ${address}/${prefixLength} of interface ${index}`
    this.#change(type, flags, header, operation, (writer) => {
      const bytes = bytesOf(address)
      encodeAttributes(writer, addressAttributes, { address: bytes, local: bytes })
    })
  }

  #changeRoute(type: number, flags: number, verb: string, route: Route): void {
    const { destination, prefixLength, interfaceIndex, gateway, table: own } = route
    const isLocal = route.type === 'local'
    const scope = isLocal ? 'host' : gateway === undefined ? 'link' : 'global'
    const header = new Uint8Array(routeHeaderBytes)
    const family = familyOf(destination)
    header.set([protocolFamilies[family], prefixLength, 0, 0])
    const usual = isLocal ? tables.local : tables.main
    // Numbers above 255 stand in an attribute only.
    const table = own === undefined ? usual : 0
    // IPv6 routes have no scope in the kernel.
    const scopeNumber = family === 4 ? routeScopes[scope] : 0
    header.set([table, staticProtocol, scopeNumber, routeTypes[route.type]], 4)
    const operation = `${verb} ${route.type} route ${destination}/${prefixLength}`
    this.#change(type, flags, header, operation, (writer) =>
      encodeAttributes(writer, routeAttributes, {
        destination: bytesOf(destination),
        ...(interfaceIndex === undefined ? {} : { outputInterface: interfaceIndex }),
        ...(gateway === undefined ? {} : { gateway: bytesOf(gateway) }),
        ...(own === undefined ? {} : { table: own }),
      }),
    )
  }

  #changeRule(type: number, flags: number, verb: string, rule: MarkRule): void {
    const { family, priority, mark, table } = rule
    const header = new Uint8Array(ruleHeaderBytes)
    header[0] = protocolFamilies[family]
    header[ruleActionAt] = toTable
    const operation = `${verb} IPv${family} rule ${priority}: mark ${mark} to table ${table}`
    this.#change(type, flags, header, operation, (writer) =>
      encodeAttributes(writer, ruleAttributes, { priority, mark, table, markMask: mark }),
    )
  }

  #change(
    type: number,
    flags: number,
    header: Uint8Array,
    operation: string,
    attributes: (writer: AttributeWriter) => void,
  ): void {
    const sequence = this.#socket.reserveSequences()
    this.#writer.truncate()
    const start = this.#writer.beginMessage(type, request | ack | flags, sequence)
    this.#writer.structure(header)
    attributes(this.#writer)
    this.#writer.endMessage(start)
    this.#socket.request(this.#writer.written(), sequence, () => operation)
  }
}

function bytesOf(address: string): Uint8Array {
  const bytes = new Uint8Array(addressBytes(familyOf(address)))
  writeAddress(bytes, 0, address)
  return bytes
}
