import { addressBytes, type Family, readAddress, writeAddress } from '../net/address.ts'
import { DecodeError } from '../net/decode-error.ts'
import { protocolNumber, protocolOfNumber } from '../net/protocol.ts'
import type { Decoded } from '../netlink/attribute-kinds.ts'
import {
  type destinationAttributes,
  forwardingMethods,
  type serviceAttributes,
  serviceFlags,
} from './ipvs-tables.ts'
import type {
  Destination,
  DestinationState,
  ServerStatistics,
  VirtualServer,
  VirtualServerKey,
} from './virtual-server.ts'

type ServiceValue = Decoded<typeof serviceAttributes>
type DestinationValue = Decoded<typeof destinationAttributes>

/** AF_INET, AF_INET6 */
const kernelFamilies = { 4: 2, 6: 10 } as const
/** sizeof(union nf_inet_addr) */
const addressRoom = 16
/** Every client for itself: the persistence mask of IPv4 (the same in either byte order), the prefix length
 *  of IPv6. */
const netmasks = { 4: 0xffff_ffff, 6: 128 } as const

/** The attributes by which the kernel finds a virtual server. */
export function encodeServerKey(key: VirtualServerKey): ServiceValue {
  const family = kernelFamilies[key.family]
  if (key.kind === 'mark') return { family, mark: key.mark }
  const { protocol, address, port } = key
  return { family, protocol: protocolNumber(protocol), address: addressField(address), port }
}

/** All attributes of a virtual server. */
export function encodeServer(server: VirtualServer): ServiceValue {
  return {
    ...encodeServerKey(server.key),
    scheduler: server.scheduler,
    flags: flagsField(server.flags),
    timeout: server.timeoutSeconds,
    netmask: netmasks[server.key.family],
  }
}

/** All attributes of a destination. */
export function encodeDestination(destination: Destination): DestinationValue {
  const { address, port, weight } = destination
  return {
    address: addressField(address),
    port,
    forwarding: forwardingMethods.masquerade,
    weight,
    upperThreshold: 0,
    lowerThreshold: 0,
    family: kernelFamilies[address.includes(':') ? 6 : 4],
  }
}

/** A virtual server as the kernel tells it; undefined for protocols that services cannot have. Throws a
 *  DecodeError when attributes are missing or impossible. */
export function decodeServer(value: ServiceValue): VirtualServer | undefined {
  const family = familyOf(value.family, 'virtual server')
  const { flags, timeout = 0, scheduler = '' } = value
  const rest = {
    scheduler,
    flags: ((flags === undefined ? 0 : readFlags(flags)) & ~serviceFlags.hashed) >>> 0,
    timeoutSeconds: timeout,
  }
  if (value.mark !== undefined) return { key: { kind: 'mark', family, mark: value.mark }, ...rest }
  const protocol = value.protocol === undefined ? undefined : protocolOfNumber(value.protocol)
  if (protocol === undefined) return undefined
  const address = readAddressField(value.address, family, 'virtual server')
  return { key: { kind: 'address', family, protocol, address, port: value.port ?? 0 }, ...rest }
}

/** A destination as the kernel tells it. `family` is that of its virtual server, which older kernels leave
 *  out. Throws a DecodeError. */
export function decodeDestination(value: DestinationValue, family: Family): DestinationState {
  const own = value.family === undefined ? family : familyOf(value.family, 'destination')
  return {
    address: readAddressField(value.address, own, 'destination'),
    port: value.port ?? 0,
    weight: value.weight ?? 0,
    activeConnections: value.activeConnections ?? 0,
    inactiveConnections: value.inactiveConnections ?? 0,
    persistentConnections: value.persistentConnections ?? 0,
  }
}

/** Counters of a virtual server: 64 bits wide where the kernel has them so (since Linux 4.1). */
export function decodeStatistics(value: ServiceValue): ServerStatistics {
  const found = value.statistics ?? value.shortStatistics
  return {
    connections: BigInt(found?.connections ?? 0),
    inboundPackets: BigInt(found?.inboundPackets ?? 0),
    outboundPackets: BigInt(found?.outboundPackets ?? 0),
    inboundBytes: found?.inboundBytes ?? 0n,
    outboundBytes: found?.outboundBytes ?? 0n,
  }
}

function addressField(address: string): Uint8Array {
  const bytes = new Uint8Array(addressRoom)
  writeAddress(bytes, 0, address)
  return bytes
}

function readAddressField(bytes: Uint8Array | undefined, family: Family, source: string): string {
  if (bytes === undefined || bytes.length < addressBytes(family)) {
    const value = bytes === undefined ? 'nothing' : `${bytes.length} bytes`
    const expected = `an IPv${family} address`
    throw new DecodeError(`ipvs ${source}`, [{ path: ['address'], value, expected }])
  }
  return readAddress(bytes, 0, family)
}

function familyOf(number: number | undefined, source: string): Family {
  if (number === kernelFamilies[4]) return 4
  if (number === kernelFamilies[6]) return 6
  const expected = 'AF_INET (2) or AF_INET6 (10)'
  throw new DecodeError(`ipvs ${source}`, [{ path: ['family'], value: number, expected }])
}

/** struct ip_vs_flags: the mask says which flags are meant. */
function flagsField(flags: number): Uint8Array {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, flags, true)
  view.setUint32(4, 0xffff_ffff, true)
  return bytes
}

function readFlags(bytes: Uint8Array): number {
  if (bytes.length < 4) {
    const value = `${bytes.length} bytes`
    const expected = 'struct ip_vs_flags (8 bytes)'
    throw new DecodeError('ipvs virtual server', [{ path: ['flags'], value, expected }])
  }
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)
}
