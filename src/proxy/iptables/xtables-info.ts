import { addressBytes, type Family, writeAddress } from '../../net/address.ts'
import { never } from '../../net/never.ts'
import type { Expression } from '../../netlink/nftables/expressions.ts'
import type { ConnectionState, Match } from './rule.ts'

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** An expression of a module of xtables. */
type XtablesExpression = Expression & {
  readonly data: { readonly name: string; readonly revision: number; readonly info: Uint8Array }
}

/** Writes a number of `size` bytes in host order, as all numbers of these structures are. A DataView would
 *  take longer to make than a structure to fill, and there is one for every endpoint. */
export function putHostNumber(info: Uint8Array, at: number, size: 2 | 4, value: number): void {
  for (let index = 0; index < size; index++) {
    const shift = 8 * (isLittleEndian ? index : size - 1 - index)
    info[at + index] = (value >>> shift) & 0xff
  }
}

/** The expression of a match; sizes of structures are multiples of 8 (XT_ALIGN). */
export function matchExpression(
  match: Exclude<Match, { readonly kind: 'mark' }>,
  family: Family,
): Expression {
  switch (match.kind) {
    case 'statistic':
      return statistic(match.share)
    case 'recent-check':
      return recent(match.list, checkAndReap, match.seconds, family)
    case 'recent-set':
      return recent(match.list, set, 0, family)
    case 'addrtype':
      return addressType(match.side)
    case 'conntrack':
      return connectionState(match.states)
    case 'bpf':
      return classicBpf(match.program)
    default:
      return never(match)
  }
}

/** struct xt_statistic_info, mode XT_STATISTIC_MODE_RANDOM; linux/netfilter/xt_statistic.h. iptables writes
 *  the share a second time at 12, where the kernel looks in another mode only. */
export function statistic(share: number): XtablesExpression {
  const info = new Uint8Array(24)
  for (const at of [4, 12]) putHostNumber(info, at, 4, share)
  return { name: 'match', data: { name: 'statistic', revision: 0, info } }
}

/** XT_RECENT_SET, XT_RECENT_CHECK | XT_RECENT_REAP; linux/netfilter/xt_recent.h */
const set = 0x02
const checkAndReap = 0x21

/** struct xt_recent_mtinfo_v1: seconds at 0, what to do at 8, name at 10 (200 bytes), mask at 212. */
function recent(list: string, action: number, seconds: number, family: Family): Expression {
  const info = new Uint8Array(232)
  putHostNumber(info, 0, 4, seconds)
  info[8] = action
  info.set(Buffer.from(list, 'latin1').subarray(0, 199), 10)
  info.fill(0xff, 212, 212 + addressBytes(family))
  return { name: 'match', data: { name: 'recent', revision: 1, info } }
}

/** struct xt_addrtype_info_v1: types of source and destination; XT_ADDRTYPE_LOCAL is 1 << 2. */
function addressType(side: 'src' | 'dst'): Expression {
  const info = new Uint8Array(8)
  putHostNumber(info, side === 'src' ? 0 : 2, 2, 4)
  return { name: 'match', data: { name: 'addrtype', revision: 1, info } }
}

/** XT_CONNTRACK_STATE_BIT of the states, XT_CONNTRACK_STATE_DNAT; linux/netfilter/xt_conntrack.h */
const stateBits: Readonly<Record<ConnectionState, number>> = {
  INVALID: 0x01,
  ESTABLISHED: 0x02,
  RELATED: 0x04,
  NEW: 0x08,
  DNAT: 0x80,
}

/** struct xt_conntrack_mtinfo3: what is looked at at 146 (XT_CONNTRACK_STATE 1), states at 150. */
function connectionState(states: readonly ConnectionState[]): Expression {
  const info = new Uint8Array(168)
  putHostNumber(info, 146, 2, 1)
  putHostNumber(
    info,
    150,
    2,
    states.reduce((bits, state) => bits | stateBits[state], 0),
  )
  return { name: 'match', data: { name: 'conntrack', revision: 3, info } }
}

/** struct xt_bpf_info_v1: mode XT_BPF_MODE_BYTECODE 0, number of instructions at 2, from 8 on 64 places of
 *  struct sock_filter (code, two jumps, operand). */
function classicBpf(program: string): Expression {
  const info = new Uint8Array(528)
  const [count = '', ...instructions] = program.split(',')
  putHostNumber(info, 2, 2, Number(count))
  for (const [index, instruction] of instructions.entries()) {
    const [code = 0, whenTrue = 0, whenFalse = 0, operand = 0] = instruction.split(' ').map(Number)
    const at = 8 + 8 * index
    putHostNumber(info, at, 2, code)
    info[at + 2] = whenTrue
    info[at + 3] = whenFalse
    putHostNumber(info, at + 4, 4, operand)
  }
  return { name: 'match', data: { name: 'bpf', revision: 1, info } }
}

/** struct xt_mark_tginfo2: what is flipped, then what is cleared; linux/netfilter/xt_mark.h */
export function changeMark(flip: number, clear: number): Expression {
  const info = new Uint8Array(8)
  putHostNumber(info, 0, 4, flip)
  putHostNumber(info, 4, 4, clear)
  return { name: 'target', data: { name: 'MARK', revision: 2, info } }
}

/** NF_NAT_RANGE_PROTO_RANDOM_FULLY; linux/netfilter/nf_nat.h */
const randomFully = 0x10

/** struct nf_nat_ipv4_multi_range_compat with one range, struct nf_nat_range of IPv6: only flags. */
export function masquerade(family: Family): Expression {
  const info = new Uint8Array(family === 4 ? 24 : 40)
  if (family === 4) putHostNumber(info, 0, 4, 1)
  putHostNumber(info, family === 4 ? 4 : 0, 4, randomFully)
  return { name: 'target', data: { name: 'MASQUERADE', revision: 0, info } }
}

/** struct xt_sctp_info: destination ports at 0, flag_info of 0xff at 268, flags at 284
 *  (XT_SCTP_DEST_PORTS 2); linux/netfilter/xt_sctp.h. */
export function sctpPorts(first: number, last: number): Expression {
  const info = new Uint8Array(296)
  putHostNumber(info, 0, 2, first)
  putHostNumber(info, 2, 2, last)
  for (let flag = 0; flag < 4; flag++) info[268 + 3 * flag] = 0xff
  putHostNumber(info, 284, 4, 2)
  return { name: 'match', data: { name: 'sctp', revision: 0, info } }
}

/** struct nf_nat_range2 with one address and port (network order); NF_NAT_RANGE_MAP_IPS |
 *  NF_NAT_RANGE_PROTO_SPECIFIED is 3; linux/netfilter/nf_nat.h. */
export function destinationNat(address: string, port: number): XtablesExpression {
  const info = new Uint8Array(48)
  putHostNumber(info, 0, 4, 3)
  for (const at of [4, 20]) writeAddress(info, at, address)
  for (const at of [36, 38]) {
    info[at] = port >> 8
    info[at + 1] = port & 0xff
  }
  return { name: 'target', data: { name: 'DNAT', revision: 2, info } }
}

/** enum ipt_reject_with: ICMP port unreachable 3, TCP reset 7; enum ip6t_reject_with: 4 and 6. */
const rejections: Readonly<Record<Family, Readonly<Record<'unreachable' | 'reset', number>>>> = {
  4: { unreachable: 3, reset: 7 },
  6: { unreachable: 4, reset: 6 },
}

/** struct ipt_reject_info, struct ip6t_reject_info. */
export function reject(answer: 'unreachable' | 'reset', family: Family): Expression {
  const info = new Uint8Array(8)
  putHostNumber(info, 0, 4, rejections[family][answer])
  return { name: 'target', data: { name: 'REJECT', revision: 0, info } }
}
