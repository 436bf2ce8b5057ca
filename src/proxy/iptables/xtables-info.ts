import { addressBytes, type Family, writeAddress } from '../../net/address.ts'
import { never } from '../../net/never.ts'
import type { Expression } from '../../netlink/nftables/expressions.ts'
import type { Match } from './rule.ts'

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

/** The expression of a match; sizes of structures are multiples of 8 (XT_ALIGN). Throws for those that only stand in constant chains. */
export function matchExpression(match: Match, family: Family): Expression {
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
    case 'mark':
    case 'bpf':
      throw new Error(`iptables: the match ${match.kind} is not made here`)
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
