import type { Expression } from '../netlink/nftables/expressions.ts'
import type { TableFamily } from '../netlink/nftables/objects.ts'

/** Parts of rules. Each gives the expressions that nft would make of it. Registers are those of 32 bits:
 *  NFT_REG32_00 (8) and up. */

const register = 8

/** Words of an address of this family. */
function words(family: TableFamily): number {
  return family === 'ip' ? 1 : 4
}

function loadAddress(family: TableFamily, field: 'saddr' | 'daddr', dreg: number): Expression {
  // struct iphdr has the addresses at 12 and 16, struct ipv6hdr at 8 and 24.
  const offset = family === 'ip' ? (field === 'saddr' ? 12 : 16) : field === 'saddr' ? 8 : 24
  return { name: 'payload', data: { dreg, base: 1, offset, len: 4 * words(family) } }
}

/** `ip saddr` or `ip daddr` into the first register. */
export function load(family: TableFamily, field: 'saddr' | 'daddr'): Expression {
  return loadAddress(family, field, register)
}

/** `iifname`: NFT_META_IIFNAME 6. */
export function loadInputName(): Expression {
  return { name: 'meta', data: { dreg: register, key: 6 } }
}

/** `meta l4proto`: NFT_META_L4PROTO 16. */
export function loadProtocol(dreg = register): Expression {
  return { name: 'meta', data: { dreg, key: 16 } }
}

/** `ip daddr . meta l4proto . th dport`, with `saddr` behind or before it. */
export function frontendKeyParts(
  family: TableFamily,
  source?: 'behind' | 'before',
): readonly Expression[] {
  const first = source === 'before' ? register + words(family) : register
  const next = first + words(family)
  const key: readonly Expression[] = [
    loadAddress(family, 'daddr', first),
    loadProtocol(next),
    { name: 'payload', data: { dreg: next + 1, base: 2, offset: 2, len: 2 } },
  ]
  if (source === 'before') return [loadAddress(family, 'saddr', register), ...key]
  return source === 'behind' ? [...key, loadAddress(family, 'saddr', next + 2)] : key
}

/** `ct original ip daddr . meta l4proto . ct original proto-dst`: NFT_CT_DST_IP 20, NFT_CT_DST_IP6 22,
 *  NFT_CT_PROTO_DST 12; direction 0. What the client connected to, before IPVS rewrote it. */
export function originalFrontendParts(family: TableFamily): readonly Expression[] {
  const next = register + words(family)
  return [
    { name: 'ct', data: { dreg: register, key: family === 'ip' ? 20 : 22, direction: 0 } },
    loadProtocol(next),
    { name: 'ct', data: { dreg: next + 1, key: 12, direction: 0 } },
  ]
}

/** Goes on only when what was loaded is in the set; with `dreg` the map's data land there. */
export function lookup(set: string, dreg?: number): Expression {
  const base = { set, sreg: register }
  return { name: 'lookup', data: dreg === undefined ? base : { ...base, dreg } }
}

/** `meta mark set KEY map @map`; the key must be loaded. */
export function markFromMap(map: string): readonly Expression[] {
  return [lookup(map, register), storeMark()]
}

function loadMark(): Expression {
  return { name: 'meta', data: { dreg: register, key: 3 } }
}

function storeMark(): Expression {
  return { name: 'meta', data: { sreg: register, key: 3 } }
}

/** `meta mark set mark | bit`, or with the bit taken out. */
export function setMarkBit(bit: number, isSet: boolean): readonly Expression[] {
  const xor = isSet ? bit : 0
  return [loadMark(), maskAndXor(hostWord(~bit >>> 0), hostWord(xor)), storeMark()]
}

/** `meta mark & bit != 0`. */
export function hasMarkBit(bit: number): readonly Expression[] {
  return [loadMark(), maskAndXor(hostWord(bit), hostWord(0)), compare('!=', hostWord(0))]
}

/** `ct state new` negated: NFT_CT_STATE 0; the bit of IP_CT_NEW is 8. */
export function isNotNew(): readonly Expression[] {
  return [
    { name: 'ct', data: { dreg: register, key: 0 } },
    maskAndXor(hostWord(8), hostWord(0)),
    compare('==', hostWord(0)),
  ]
}

/** dreg = (sreg & mask) ^ xor. */
export function maskAndXor(mask: Uint8Array, xor: Uint8Array): Expression {
  const data = { sreg: register, dreg: register, len: mask.length }
  return { name: 'bitwise', data: { ...data, mask: { value: mask }, xor: { value: xor } } }
}

/** Compares what was loaded with bytes. */
export function compare(operator: '==' | '!=', value: Uint8Array): Expression {
  const op = operator === '==' ? 0 : 1
  return { name: 'cmp', data: { sreg: register, op, data: { value } } }
}

/** `jump`, `goto`, `return` or `drop`. */
export function decide(code: 'jump' | 'goto' | 'return' | 'drop', chain?: string): Expression {
  const codes = { jump: -3, goto: -4, return: -5, drop: 0 } as const
  const verdict = chain === undefined ? { code: codes[code] } : { code: codes[code], chain }
  return { name: 'immediate', data: { dreg: 0, data: { verdict } } }
}

/** `masquerade fully-random`: NF_NAT_RANGE_PROTO_RANDOM_FULLY is 1 << 4. */
export function masquerade(): Expression {
  return { name: 'masq', data: { flags: 16 } }
}

/** `reject` with an ICMP port unreachable (ICMP code 3, ICMPv6 code 4). */
export function rejectUnreachable(family: TableFamily): Expression {
  return { name: 'reject', data: { type: 0, icmpCode: family === 'ip' ? 3 : 4 } }
}

/** `reject with tcp reset`: NFT_REJECT_TCP_RST 1. */
export function rejectReset(): Expression {
  return { name: 'reject', data: { type: 1, icmpCode: 0 } }
}

function hostWord(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}
