import { writeAddress } from '../net/address.ts'
import { type Prefix, prefixRange } from '../net/prefix.ts'
import type { Expression } from '../netlink/nftables/expressions.ts'
import type { TableFamily } from '../netlink/nftables/objects.ts'

/** Parts of rules, named after nft's own words. Each gives the expressions that nft would make of them.
 *  Registers are numbers of enum nft_registers. */

/** 32-bit registers, NFT_REG32_00 (8) and up; an address takes 1 or 4 of them. Registers live within
 *  one rule only. */
export const firstRegister = 8

const register = firstRegister

/** Registers that an address of the family takes. */
export function addressWords(family: TableFamily): 1 | 4 {
  return family === 'ip' ? 1 : 4
}

/** `ip daddr` into a register (four for IPv6): struct iphdr has it at 16, struct ipv6hdr at 24. */
export function loadDestination(family: TableFamily, dreg = register): Expression {
  const offset = family === 'ip' ? 16 : 24
  return { name: 'payload', data: { dreg, base: 1, offset, len: 4 * addressWords(family) } }
}

/** `ip saddr` into a register (four for IPv6): struct iphdr has it at 12, struct ipv6hdr at 8. */
export function loadSource(family: TableFamily, dreg = register): Expression {
  const offset = family === 'ip' ? 12 : 8
  return { name: 'payload', data: { dreg, base: 1, offset, len: 4 * addressWords(family) } }
}

/** `meta l4proto` (NFT_META_L4PROTO 16). */
export function loadProtocol(dreg = register): Expression {
  return { name: 'meta', data: { dreg, key: 16 } }
}

/** `th dport`: ports of TCP, UDP and SCTP lie at the same place. */
export function loadDestinationPort(dreg = register): Expression {
  return { name: 'payload', data: { dreg, base: 2, offset: 2, len: 2 } }
}

/** `th sport`. */
export function loadSourcePort(dreg = register): Expression {
  return { name: 'payload', data: { dreg, base: 2, offset: 0, len: 2 } }
}

/** `meta mark` (NFT_META_MARK 3). */
export function loadMark(dreg = register): Expression {
  return { name: 'meta', data: { dreg, key: 3 } }
}

/** `meta mark set` from a register. */
export function storeMark(sreg = register): Expression {
  return { name: 'meta', data: { sreg, key: 3 } }
}

/** `iifname` (NFT_META_IIFNAME 6), 16 bytes. */
export function loadInputName(dreg = register): Expression {
  return { name: 'meta', data: { dreg, key: 6 } }
}

/** Looks a key up; without `dreg` the rule goes on only when it is in the set, with it the data land there. */
export function lookup(set: string, sreg = register, dreg?: number): Expression {
  return { name: 'lookup', data: dreg === undefined ? { set, sreg } : { set, sreg, dreg } }
}

/** `vmap @set`: the data are a verdict (NFT_REG_VERDICT 0). */
export function lookupVerdict(set: string, sreg: number): Expression {
  return lookup(set, sreg, 0)
}

/** `numgen random mod N`. */
export function drawSlot(modulus: number, dreg: number): Expression {
  return { name: 'numgen', data: { dreg, modulus, type: 1 } }
}

/** Compares a register with bytes: `==` or `!=`. */
export function compare(operator: '==' | '!=', value: Uint8Array, sreg = register): Expression {
  return { name: 'cmp', data: { sreg, op: operator === '==' ? 0 : 1, data: { value } } }
}

/** dreg = (sreg & mask) ^ xor. */
export function maskAndXor(mask: Uint8Array, xor: Uint8Array, reg = register): Expression {
  return {
    name: 'bitwise',
    data: { sreg: reg, dreg: reg, len: mask.length, mask: { value: mask }, xor: { value: xor } },
  }
}

/** A 32-bit number as it stands in a register that the kernel fills in host order (mark, fib type). */
export function hostWord(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

/** `jump chain`. */
export function jump(chain: string): Expression {
  return { name: 'immediate', data: { dreg: 0, data: { verdict: { code: -3, chain } } } }
}

/** `goto chain`. */
export function goto(chain: string): Expression {
  return { name: 'immediate', data: { dreg: 0, data: { verdict: { code: -4, chain } } } }
}

/** `return`. */
export function leave(): Expression {
  return { name: 'immediate', data: { dreg: 0, data: { verdict: { code: -5 } } } }
}

/** `drop`. */
export function drop(): Expression {
  return { name: 'immediate', data: { dreg: 0, data: { verdict: { code: 0 } } } }
}

/** `dnat to` the address and port in these registers; NFPROTO_IPV4 2, NFPROTO_IPV6 10. */
export function translateDestination(
  family: TableFamily,
  address: number,
  port: number,
): Expression {
  return {
    name: 'nat',
    data: { type: 1, family: family === 'ip' ? 2 : 10, regAddrMin: address, regProtoMin: port },
  }
}

/** `masquerade fully-random`: NF_NAT_RANGE_PROTO_RANDOM_FULLY is 1 << 4. */
export function masquerade(): Expression {
  return { name: 'masq', data: { flags: 16 } }
}

/** `fib daddr type local`: NFT_FIB_RESULT_ADDRTYPE 3, NFTA_FIB_F_DADDR 2, RTN_LOCAL 2. */
export function destinationIsLocal(): readonly Expression[] {
  return [
    { name: 'fib', data: { dreg: register, result: 3, flags: 2 } },
    compare('==', hostWord(2)),
  ]
}

/** The first packet of a connection: `ct state new` holds until there is an answer, `ct status confirmed`
 *  from the second packet on. NFT_CT_STATUS 2, IPS_CONFIRMED 8. */
export function opensConnection(): readonly Expression[] {
  return [
    { name: 'ct', data: { dreg: register, key: 2 } },
    maskAndXor(hostWord(8), hostWord(0)),
    compare('==', hostWord(0)),
  ]
}

/** `reject` with an ICMP port unreachable: NFT_REJECT_ICMP_UNREACH 0; ICMP code 3, ICMPv6 code 4. */
export function rejectUnreachable(family: TableFamily): Expression {
  return { name: 'reject', data: { type: 0, icmpCode: family === 'ip' ? 3 : 4 } }
}

/** `reject with tcp reset`: NFT_REJECT_TCP_RST 1. */
export function rejectReset(): Expression {
  return { name: 'reject', data: { type: 1, icmpCode: 0 } }
}

/** Goes on only when the address that `load` loads is in the prefix, or with `!=` when it is not. */
export function inPrefix(
  prefix: Prefix,
  load: Expression,
  operator: '==' | '!=' = '==',
): readonly Expression[] {
  const { first, last } = prefixRange(prefix)
  const address = new Uint8Array(first.length)
  writeAddress(address, 0, prefix.address)
  if (prefix.length === first.length * 8) return [load, compare(operator, address)]
  const mask = first.map((byte, index) => 0xff ^ byte ^ (last[index] ?? 0))
  return [load, maskAndXor(mask, new Uint8Array(first.length)), compare(operator, address)]
}

/** Goes on only for packets that came in through this interface, or one whose name begins so. */
export function fromInterface(name: string, match: 'exact' | 'prefix'): readonly Expression[] {
  // IFNAMSIZ is 16; a name that is compared whole ends with a NUL, a prefix does not.
  const bytes = Buffer.from(match === 'exact' ? name.padEnd(16, '\0') : name)
  return [loadInputName(), compare('==', new Uint8Array(bytes))]
}

/** `socket transparent 1`: the packet belongs to a socket of this machine that uses an address of others. */
export function ofTransparentSocket(): readonly Expression[] {
  return [{ name: 'socket', data: { key: 0, dreg: register } }, compare('==', Uint8Array.of(1))]
}

/** `meta mark set meta mark or BIT`. */
export function setMarkBit(bit: number): readonly Expression[] {
  return [loadMark(), maskAndXor(hostWord(~bit >>> 0), hostWord(bit)), storeMark()]
}

/** `meta mark & BIT != 0`. */
export function hasMarkBit(bit: number): readonly Expression[] {
  return [loadMark(), maskAndXor(hostWord(bit), hostWord(0)), compare('!=', hostWord(0))]
}
