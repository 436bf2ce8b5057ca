import { protocols } from '../../net/protocol.ts'
import { at, listAt, numberAt, objectAt, type Place, refuse, tagAt } from './json-shape.ts'
import { decodePattern, type FieldText, fieldSeparator } from './nft-pattern.ts'
import { decodeMapElements, indexElements, type NftSet } from './nft-sets.ts'
import { type NftTable, named } from './nft-table.ts'
import type { Packet } from './packet-walk.ts'

/** Something that has a value for a packet. `undefined`: it has none, the rule does not match. */
export interface Expression {
  /** Draws that the value depends on; 1: none. */
  readonly choiceCount: number
  value(packet: Packet, choice: number): FieldText | undefined
}

/** Decodes an expression on the left of a match, of a map key or of a statement's argument. */
export function decodeExpression(table: NftTable, place: Place, value: unknown): Expression {
  if (typeof value === 'string' || typeof value === 'number') return constant(place, value)
  const [tag, body] = tagAt(place, value)
  const here = at(place, tag)
  switch (tag) {
    case 'payload':
      return decodePayload(here, body)
    case 'meta':
      return decodeMeta(here, body)
    case 'fib':
      return decodeFib(here, body)
    case 'numgen':
      return decodeNumgen(here, body)
    case 'concat':
      return decodeConcat(table, place, body)
    case 'map':
      return decodeMap(table, here, body)
    case '&':
    case '|':
    case '^':
      return decodeBinary(table, here, tag, body)
    default:
      return refuse(place, value, 'payload, meta, fib, numgen, concat, map, &, | or ^')
  }
}

/** The text of a constant that must be exact (an address, port or concatenation of them). */
export function decodeConstant(place: Place, value: unknown): FieldText {
  return decodePattern(place, value).exact ?? refuse(place, value, 'one constant')
}

function constant(place: Place, value: unknown): Expression {
  const text = decodeConstant(place, value)
  return { choiceCount: 1, value: () => text }
}

function simple(value: (packet: Packet) => FieldText | undefined): Expression {
  return { choiceCount: 1, value }
}

function decodePayload(place: Place, value: unknown): Expression {
  const body = objectAt(place, value, ['protocol', 'field'])
  const { protocol, field } = body
  if (protocol === 'ip' || protocol === 'ip6') {
    const family = protocol === 'ip' ? 4 : 6
    if (field === 'saddr') return simple((packet) => of(packet.family === family, packet.source))
    if (field === 'daddr') {
      return simple((packet) => of(packet.family === family, packet.destination))
    }
  }
  // `tcp dport` carries an unwritten check of the protocol, `th dport` does not.
  const isTransport = protocol === 'th' || protocols.some((p) => p.toLowerCase() === protocol)
  if (isTransport && (field === 'dport' || field === 'sport')) {
    return simple((packet) =>
      of(
        protocol === 'th' || packet.protocol === protocol,
        String(field === 'dport' ? packet.destinationPort : packet.sourcePort),
      ),
    )
  }
  return refuse(place, value, 'ip or ip6 saddr or daddr, th, tcp, udp or sctp sport or dport')
}

function of(holds: boolean, text: FieldText): FieldText | undefined {
  return holds ? text : undefined
}

function decodeMeta(place: Place, value: unknown): Expression {
  const body = objectAt(place, value, ['key'])
  switch (body.key) {
    case 'l4proto':
      return simple((packet) => packet.protocol)
    case 'mark':
      return simple((packet) => String(packet.mark))
    case 'nfproto':
      return simple((packet) => (packet.family === 4 ? 'ipv4' : 'ipv6'))
    case 'iifname':
      // Without an input device the register holds the empty name (nft_meta_store_ifname).
      return simple((packet) => packet.inputInterface)
    default:
      return refuse(place, value, 'meta l4proto, mark, nfproto or iifname')
  }
}

function decodeFib(place: Place, value: unknown): Expression {
  const body = objectAt(place, value, ['result', 'flags'])
  const flags = body.flags
  const names = Array.isArray(flags) ? flags : [flags]
  if (body.result !== 'type') return refuse(at(place, 'result'), body.result, 'type')
  const [side, ...rest] = names
  if (rest.length > 0 || (side !== 'saddr' && side !== 'daddr')) {
    return refuse(at(place, 'flags'), flags, 'saddr or daddr alone')
  }
  return simple((packet) => {
    const address = side === 'saddr' ? packet.source : packet.destination
    return packet.isLocalAddress(address) ? 'local' : 'unicast'
  })
}

function decodeNumgen(place: Place, value: unknown): Expression {
  const body = objectAt(place, value, ['mode', 'mod', 'offset'])
  if (body.mode !== 'random' && body.mode !== 'inc') {
    return refuse(at(place, 'mode'), body.mode, 'random or inc')
  }
  const offset = numberAt(at(place, 'offset'), body.offset ?? 0)
  return {
    choiceCount: numberAt(at(place, 'mod'), body.mod),
    value: (_packet, choice) => String(choice + offset),
  }
}

function decodeConcat(table: NftTable, place: Place, value: unknown): Expression {
  const fields = listAt(at(place, 'concat'), value).map((field, index) =>
    decodeExpression(table, at(place, 'concat', index), field),
  )
  return {
    choiceCount: joinedChoices(place, fields),
    value: (packet, choice) => {
      let joined = ''
      for (const field of fields) {
        const text = field.value(packet, choice)
        if (text === undefined) return undefined
        joined = joined === '' ? text : joined + fieldSeparator + text
      }
      return joined
    },
  }
}

/** One draw may serve a whole statement: two independent ones would be walked as if they were equal. */
function joinedChoices(place: Place, parts: readonly Expression[]): number {
  const drawing = parts.filter((part) => part.choiceCount > 1)
  if (drawing.length > 1) refuse(place, 'two numgen expressions', 'one in a statement')
  return drawing[0]?.choiceCount ?? 1
}

function decodeMap(table: NftTable, place: Place, value: unknown): Expression {
  const body = objectAt(place, value, ['key', 'data'])
  const key = decodeExpression(table, at(place, 'key'), body.key)
  const data = decodeMapData(table, at(place, 'data'), body.data)
  return {
    choiceCount: key.choiceCount,
    value: (packet, choice) => {
      const text = key.value(packet, choice)
      return text === undefined ? undefined : data.lookUp(text)
    },
  }
}

function decodeMapData(table: NftTable, place: Place, value: unknown): NftSet<FieldText> {
  if (typeof value === 'string') return named(place, table.dataMaps, value)
  const body = objectAt(place, value, ['set'])
  return indexElements(decodeMapElements(at(place, 'set'), body.set, decodeConstant), 0)
}

function decodeBinary(
  table: NftTable,
  place: Place,
  operator: '&' | '|' | '^',
  value: unknown,
): Expression {
  const [leftValue, rightValue, ...rest] = listAt(place, value)
  if (rest.length > 0) return refuse(place, value, 'two operands')
  const left = decodeExpression(table, at(place, 0), leftValue)
  const right = numberAt(at(place, 1), rightValue)
  return {
    choiceCount: left.choiceCount,
    value: (packet, choice) => {
      const text = left.value(packet, choice)
      return text === undefined ? undefined : String(combine(operator, Number(text), right))
    },
  }
}

function combine(operator: '&' | '|' | '^', left: number, right: number): number {
  // Marks are unsigned 32-bit words; JavaScript's operators give signed ones.
  if (operator === '&') return (left & right) >>> 0
  return operator === '|' ? (left | right) >>> 0 : (left ^ right) >>> 0
}
