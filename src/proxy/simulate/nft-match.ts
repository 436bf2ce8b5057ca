import { at, type JsonObject, objectAt, type Place, refuse, stringAt } from './json-shape.ts'
import { decodeExpression } from './nft-expressions.ts'
import { decodePattern } from './nft-pattern.ts'
import { decodeSetElements, indexElements } from './nft-sets.ts'
import { type NftTable, named } from './nft-table.ts'
import type { Packet, Step } from './packet-walk.ts'

/** Whether a text is among the constants on the right of a match. */
type Test = (text: string) => boolean

/** Decodes `match`: an expression against a constant, interval, set, or flags of the connection. */
export function decodeMatch(table: NftTable, place: Place, value: unknown): Step {
  const body = objectAt(place, value, ['op', 'left', 'right'])
  const operator = body.op
  if (operator !== '==' && operator !== '!=' && operator !== 'in') {
    return refuse(at(place, 'op'), operator, '==, != or in')
  }
  const wanted = operator !== '!='
  const left = body.left
  if (typeof left === 'object' && left !== null && 'ct' in left) {
    const holds = decodeConntrack(place, left.ct as JsonObject, body.right)
    return { choiceCount: 1, run: (packet) => (holds(packet) === wanted ? 'next' : 'break') }
  }
  const expression = decodeExpression(table, at(place, 'left'), left)
  const test = decodeRight(table, at(place, 'right'), body.right)
  return {
    choiceCount: expression.choiceCount,
    run: (packet, choice) => {
      const text = expression.value(packet, choice)
      if (text === undefined) return 'break'
      return test(text) === wanted ? 'next' : 'break'
    },
  }
}

function decodeRight(table: NftTable, place: Place, value: unknown): Test {
  if (typeof value === 'string' && value.startsWith('@')) {
    const set = named(place, table.sets, value)
    return (text) => set.lookUp(text) === true
  }
  if (typeof value === 'object' && value !== null && 'set' in value) {
    const set = indexElements(decodeSetElements(at(place, 'set'), value.set), 0)
    return (text) => set.lookUp(text) === true
  }
  const pattern = decodePattern(place, value)
  return (text) => pattern.matches(text)
}

const states = ['new', 'established', 'related', 'invalid', 'untracked']
const statuses = ['expected', 'seen-reply', 'assured', 'confirmed', 'snat', 'dnat', 'dying']

/** The walk follows the first packet of a connection: its state is new, its status tells its NAT. */
function decodeConntrack(
  place: Place,
  left: JsonObject,
  right: unknown,
): (packet: Packet) => boolean {
  const key = left.key
  const known = key === 'state' ? states : key === 'status' ? statuses : undefined
  if (known === undefined) return refuse(at(place, 'left', 'ct'), left, 'ct state or ct status')
  const flags = (Array.isArray(right) ? right : [right]).map((flag) =>
    stringAt(at(place, 'right'), flag),
  )
  for (const flag of flags) {
    if (!known.includes(flag)) refuse(at(place, 'right'), flag, known.join(', '))
  }
  if (key === 'state') {
    const isNew = flags.includes('new')
    return () => isNew
  }
  return (packet) =>
    (flags.includes('dnat') && packet.isDnat) || (flags.includes('snat') && packet.isMasqueraded)
}
