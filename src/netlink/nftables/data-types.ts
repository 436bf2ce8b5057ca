import { readAddress } from '../../net/address.ts'
import { type ByteString, fromByteString } from '../../net/byte-string.ts'

/** Numbers that nft gives its data types (NFTA_SET_KEY_TYPE, NFTA_SET_DATA_TYPE); enum datatypes of
 *  libnftables. The kernel only keeps them. */
export const dataTypes = {
  integer: 4,
  ipv4Address: 7,
  ipv6Address: 8,
  protocol: 12,
  port: 13,
  mark: 19,
  interfaceName: 41,
} as const

/** NFT_DATA_VERDICT: the data type of verdict maps. */
export const verdictType = 0xffff_ff00

/** Bits that nft gives each field in the type of a concatenation (TYPE_BITS). */
const fieldBits = 6
const protocolNames: Readonly<Record<number, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  132: 'sctp',
}

/** The type of a concatenation of at most five fields; of one field: that field's type. */
export function concatenatedType(fields: readonly number[]): number {
  return fields.reduce((type, field) => (type << fieldBits) | field, 0)
}

/** The fields of a type, first one first. */
export function fieldTypes(type: number): number[] {
  const fields: number[] = []
  for (let rest = type; rest > 0; rest = Math.floor(rest / (1 << fieldBits))) {
    fields.unshift(rest % (1 << fieldBits))
  }
  return fields
}

/** `10.96.0.10 . tcp . 80` for a key or value; fields of types that are not known here in hex. `fieldBytes`
 *  as in SetDefinition; each field is padded to 4 bytes. */
export function formatData(type: number, fieldBytes: readonly number[], data: ByteString): string {
  const bytes = fromByteString(data)
  const types = fieldTypes(type)
  let at = 0
  const fields = fieldBytes.map((size, index) => {
    const field = bytes.subarray(at, at + size)
    at += (size + 3) & ~3
    return formatField(types[index] ?? 0, field)
  })
  return fields.join(' . ')
}

function formatField(type: number, bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (type === dataTypes.ipv4Address && bytes.length === 4) return readAddress(bytes, 0, 4)
  if (type === dataTypes.ipv6Address && bytes.length === 16) return readAddress(bytes, 0, 6)
  if (type === dataTypes.port && bytes.length === 2) return String(view.getUint16(0))
  if (type === dataTypes.protocol && bytes.length === 1) {
    const number = view.getUint8(0)
    return protocolNames[number] ?? String(number)
  }
  const isHostWord = type === dataTypes.mark || type === dataTypes.integer
  if (isHostWord && bytes.length === 4) return String(view.getUint32(0, true))
  return `0x${Buffer.from(bytes).toString('hex')}`
}
