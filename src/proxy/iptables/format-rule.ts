import type { Family } from '../../net/address.ts'
import { never } from '../../net/never.ts'
import { formatPrefix } from '../../net/prefix.ts'
import { formatBackend } from '../port/verdict.ts'
import type { Match, Negatable, Rule, Target } from './rule.ts'

/** A rule in the words of iptables-save, without `-A CHAIN`. The comment is the last match, where
 *  iptables-save prints one that is kept in the rule's user data. */
export function formatRule(rule: Rule, family: Family): string {
  let text = ''
  const { source, destination, input, protocol, port } = rule
  if (source !== undefined) text += `${negation(source)}-s ${formatPrefix(source.value)} `
  if (destination !== undefined)
    text += `${negation(destination)}-d ${formatPrefix(destination.value)} `
  if (input !== undefined) text += `${negation(input)}-i ${input.value} `
  if (protocol !== undefined) {
    const name = protocol.toLowerCase()
    text += `-p ${name} `
    if (port !== undefined) {
      const value = typeof port === 'number' ? port : `${port.first}:${port.last}`
      text += `-m ${name} --dport ${value} `
    }
  }
  for (const match of rule.matches ?? []) text += `${formatMatch(match, family)} `
  if (rule.comment !== undefined) text += `-m comment --comment "${rule.comment}" `
  return text + formatTarget(rule.target, family)
}

/** What 2^31 shares of `-m statistic` are. */
const allShares = 2 ** 31

const hostMask: Readonly<Record<Family, string>> = {
  4: '255.255.255.255',
  6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
}

function negation(option: Negatable<unknown>): string {
  return option.isNegated === true ? '! ' : ''
}

function formatMatch(match: Match, family: Family): string {
  switch (match.kind) {
    case 'addrtype':
      return `-m addrtype --${match.side}-type LOCAL`
    case 'conntrack':
      return `-m conntrack --ctstate ${match.states.join(',')}`
    case 'mark':
      return `-m mark ${match.isNegated === true ? '! ' : ''}--mark ${hex(match.mask)}/${hex(match.mask)}`
    case 'statistic':
      // iptables prints eleven digits of what the kernel holds, which is a number of 31 bits.
      return `-m statistic --mode random --probability ${(match.share / allShares).toFixed(11)}`
    case 'recent-check':
      return `-m recent --rcheck --seconds ${match.seconds} --reap --name ${match.list} --mask ${hostMask[family]} --rsource`
    case 'recent-set':
      return `-m recent --set --name ${match.list} --mask ${hostMask[family]} --rsource`
    case 'bpf':
      return `-m bpf --bytecode "${match.program}"`
    default:
      return never(match)
  }
}

function formatTarget(target: Target, family: Family): string {
  switch (target.kind) {
    case 'jump':
      return `-j ${target.chain}`
    case 'accept':
    case 'drop':
    case 'return':
      return `-j ${target.kind.toUpperCase()}`
    case 'masquerade':
      return '-j MASQUERADE --random-fully'
    case 'reject':
      return `-j REJECT --reject-with ${rejection(target.answer, family)}`
    case 'dnat':
      return `-j DNAT --to-destination ${formatBackend(target.address, target.port)}`
    case 'mark':
      return `-j MARK --set-xmark ${hex(target.flip)}/${hex(target.clear)}`
    default:
      return never(target)
  }
}

function rejection(answer: 'unreachable' | 'reset', family: Family): string {
  if (answer === 'reset') return 'tcp-reset'
  return family === 4 ? 'icmp-port-unreachable' : 'icmp6-port-unreachable'
}

function hex(value: number): string {
  return `0x${value.toString(16)}`
}
