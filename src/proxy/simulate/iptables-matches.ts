import { parseAddress } from '../../net/address.ts'
import { hostPrefix, type Prefix, parsePrefix, prefixContains } from '../../net/prefix.ts'
import { parseBpf } from './classic-bpf.ts'
import { type Line, type RuleOption, refuseLine } from './iptables-words.ts'
import type { Packet, Step } from './packet-walk.ts'

/** Timeouts of `-m recent --rcheck --seconds`, by list name; filled while rules are read. */
export type RecentTimeouts = Map<string, number>

/** Match modules that are understood; `-m` of another one is an error. */
const modules = [
  'addrtype',
  'bpf',
  'comment',
  'conntrack',
  'mark',
  'multiport',
  'nfacct',
  'recent',
  'sctp',
  'statistic',
  'tcp',
  'udp',
]

/** Decodes the match options of a rule into steps, in order. An unknown option is a DecodeError. */
export function decodeMatches(
  line: Line,
  options: readonly RuleOption[],
  recent: RecentTimeouts,
): readonly Step[] {
  const steps: Step[] = []
  for (const option of options) {
    const value = option.values[0] ?? ''
    switch (option.name) {
      case '-m':
        if (!modules.includes(value)) refuseLine(line, `-m ${value}`, modules.join(', '))
        break
      case '--comment':
      case '--nfacct-name':
        break
      case '--mode':
        steps.push(decodeStatistic(line, options))
        break
      case '--rcheck':
      case '--update':
      case '--set':
        steps.push(decodeRecent(line, option.name, options, recent))
        break
      default:
        if (companions.includes(option.name)) break
        steps.push(test(option, decodeTest(line, option.name, value)))
    }
  }
  return steps
}

/** Options that are read together with the one that they belong to. */
const companions = ['--probability', '--name', '--seconds', '--reap', '--mask', '--rsource']

function test(option: RuleOption, holds: (packet: Packet) => boolean): Step {
  const wanted = !option.isNegated
  return { choiceCount: 1, run: (packet) => (holds(packet) === wanted ? 'next' : 'break') }
}

function decodeTest(line: Line, name: string, value: string): (packet: Packet) => boolean {
  switch (name) {
    case '-s': {
      const contains = decodeAddresses(line, value)
      return (packet) => contains(packet.source)
    }
    case '-d': {
      const contains = decodeAddresses(line, value)
      return (packet) => contains(packet.destination)
    }
    case '-p':
      return decodeProtocol(line, value)
    case '-i':
      return decodeInterface(value)
    case '--dport':
    case '--dports': {
      const contains = decodePorts(line, value)
      return (packet) => contains(packet.destinationPort)
    }
    case '--sport':
    case '--sports': {
      const contains = decodePorts(line, value)
      return (packet) => contains(packet.sourcePort)
    }
    case '--src-type':
      return decodeAddressType(line, value, (packet) => packet.source)
    case '--dst-type':
      return decodeAddressType(line, value, (packet) => packet.destination)
    case '--ctstate':
      return decodeConnectionState(line, value)
    case '--mark':
      return decodeMark(line, value)
    case '--bytecode':
      return parseBpf(value) ?? refuseLine(line, value, 'a program of loads and comparisons')
    default:
      return refuseLine(line, name, 'an option that kube-proxy writes')
  }
}

function decodeAddresses(line: Line, text: string): (address: string) => boolean {
  const address = parseAddress(text)
  const prefix: Prefix | undefined =
    address === undefined ? parsePrefix(text) : hostPrefix(address.text)
  if (prefix === undefined) return refuseLine(line, text, 'an address or a prefix')
  const isHost = prefix.length === (prefix.family === 4 ? 32 : 128)
  if (isHost) return (other) => other === prefix.address
  return (other) => prefixContains(prefix, other)
}

function decodeProtocol(line: Line, value: string): (packet: Packet) => boolean {
  if (value === 'all') return () => true
  if (/^[0-9]+$/.test(value)) return refuseLine(line, value, 'a protocol by its name')
  return (packet) => packet.protocol === value
}

/** `veth+` matches every name that starts so. Without an input device the name is empty. */
function decodeInterface(value: string): (packet: Packet) => boolean {
  if (!value.endsWith('+')) return (packet) => packet.inputInterface === value
  const start = value.slice(0, -1)
  return (packet) => packet.inputInterface.startsWith(start)
}

function decodePorts(line: Line, value: string): (port: number) => boolean {
  const ranges = value.split(',').map((part) => {
    const [first, last = first] = part.split(':').map(Number)
    if (first === undefined || last === undefined || Number.isNaN(first + last)) {
      return refuseLine(line, value, 'ports')
    }
    return { first, last }
  })
  return (port) => ranges.some(({ first, last }) => first <= port && port <= last)
}

function decodeAddressType(
  line: Line,
  value: string,
  address: (packet: Packet) => string,
): (packet: Packet) => boolean {
  if (value !== 'LOCAL') return refuseLine(line, value, 'LOCAL')
  return (packet) => packet.isLocalAddress(address(packet))
}

const connectionStates = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED', 'DNAT', 'SNAT']

/** The walk follows first packets: NEW, and DNAT or SNAT once a rule has done it. */
function decodeConnectionState(line: Line, value: string): (packet: Packet) => boolean {
  const states = value.split(',')
  for (const state of states) {
    if (!connectionStates.includes(state)) refuseLine(line, state, connectionStates.join(', '))
  }
  return (packet) =>
    states.includes('NEW') ||
    (states.includes('DNAT') && packet.isDnat) ||
    (states.includes('SNAT') && packet.isMasqueraded)
}

function decodeMark(line: Line, value: string): (packet: Packet) => boolean {
  const [mark, mask = 0xffffffff] = value.split('/').map(Number)
  if (mark === undefined || Number.isNaN(mark + mask)) return refuseLine(line, value, 'VALUE/MASK')
  return (packet) => (packet.mark & mask) >>> 0 === mark
}

function decodeStatistic(line: Line, options: readonly RuleOption[]): Step {
  const mode = optionValue(options, '--mode')
  const probability = Number(optionValue(options, '--probability'))
  if (mode !== 'random' || !(probability >= 0 && probability <= 1)) {
    return refuseLine(line, `--mode ${mode}`, '--mode random --probability 0..1')
  }
  if (probability === 1) return { choiceCount: 1, run: () => 'next' }
  if (probability === 0) return { choiceCount: 1, run: () => 'break' }
  return { choiceCount: 2, run: (_packet, choice) => (choice === 0 ? 'next' : 'break') }
}

/** The lists are taken as empty: `--rcheck` and `--update` never hold, `--set` binds the client for
 *  the time that the `--rcheck` of the same list gives. */
function decodeRecent(
  line: Line,
  name: string,
  options: readonly RuleOption[],
  recent: RecentTimeouts,
): Step {
  const list = optionValue(options, '--name')
  if (list === undefined) return refuseLine(line, name, '--name')
  if (name !== '--set') {
    recent.set(list, Number(optionValue(options, '--seconds') ?? 0))
    return { choiceCount: 1, run: () => 'break' }
  }
  return {
    choiceCount: 1,
    run: (packet) => {
      packet.affinitySeconds = recent.get(list) ?? 0
      return 'next'
    },
  }
}

function optionValue(options: readonly RuleOption[], name: string): string | undefined {
  return options.find((option) => option.name === name)?.values[0]
}
