import { parseAddress } from '../../net/address.ts'
import { type Line, type RuleOption, refuseLine } from './iptables-words.ts'
import type { Chain, Effect, Packet, Step } from './packet-walk.ts'

/** Where the options of the target begin: at `-j` or `-g`. */
export function isTargetOption(option: RuleOption): boolean {
  return option.name === '-j' || option.name === '-g'
}

/** Decodes the target and its options; undefined: the rule only counts. Unknown targets that are no
 *  chain of the table are a DecodeError. */
export function decodeTarget(
  line: Line,
  options: readonly RuleOption[],
  chains: ReadonlyMap<string, Chain>,
): Step | undefined {
  const [target, ...rest] = options
  if (target === undefined) return undefined
  const name = target.values[0] ?? ''
  const chain = chains.get(name)
  if (chain !== undefined) {
    const effect: Effect = { kind: target.name === '-g' ? 'goto' : 'jump', chain }
    return step(() => effect)
  }
  switch (name) {
    case 'ACCEPT':
      return step(() => 'accept')
    case 'DROP':
      return step(() => 'drop')
    case 'REJECT':
      return step(() => 'reject')
    case 'RETURN':
      return step(() => 'return')
    case 'MASQUERADE':
      return step((packet) => {
        packet.isMasqueraded = true
        return 'accept'
      })
    case 'MARK':
      return decodeMark(line, rest)
    case 'DNAT':
      return decodeDnat(line, rest)
    default:
      return refuseLine(line, name, 'a chain of this table or a target that kube-proxy writes')
  }
}

function step(run: (packet: Packet) => Effect): Step {
  return { choiceCount: 1, run }
}

/** `--set-xmark VALUE/MASK`: the bits of the mask are cleared, then the value is xored in. */
function decodeMark(line: Line, options: readonly RuleOption[]): Step {
  const [option] = options
  const text = option?.values[0] ?? ''
  const [value, mask = 0xffffffff] = text.split('/').map(Number)
  if (option?.name !== '--set-xmark' || value === undefined || Number.isNaN(value + mask)) {
    return refuseLine(line, `MARK ${option?.name} ${text}`, 'MARK --set-xmark VALUE/MASK')
  }
  return step((packet) => {
    packet.mark = ((packet.mark & ~mask) ^ value) >>> 0
    return 'next'
  })
}

function decodeDnat(line: Line, options: readonly RuleOption[]): Step {
  const text = options.find((option) => option.name === '--to-destination')?.values[0] ?? ''
  const [, bracketed, plain, portText] = /^(?:\[(.+)\]|([^:]+)):([0-9]+)$/.exec(text) ?? []
  const address = parseAddress(bracketed ?? plain ?? '')
  if (address === undefined) return refuseLine(line, text, 'ADDRESS:PORT')
  const port = Number(portText)
  return step((packet) => {
    packet.destination = address.text
    packet.destinationPort = port
    packet.isDnat = true
    return 'accept'
  })
}
