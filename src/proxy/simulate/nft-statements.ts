import {
  at,
  type JsonObject,
  listAt,
  numberAt,
  objectAt,
  type Place,
  refuse,
  tagAt,
} from './json-shape.ts'
import { decodeExpression } from './nft-expressions.ts'
import { decodeMatch } from './nft-match.ts'
import { fieldSeparator } from './nft-pattern.ts'
import { decodeMapElements, indexElements, type NftSet } from './nft-sets.ts'
import { decodeVerdict, type NftTable, named } from './nft-table.ts'
import type { Effect, Packet, Step } from './packet-walk.ts'

/** Decodes one statement of a rule; an unknown one is an error that names it. */
export function decodeStatement(table: NftTable, place: Place, value: unknown): Step {
  const [tag, body] = tagAt(place, value)
  const here = at(place, tag)
  switch (tag) {
    case 'match':
      return decodeMatch(table, here, body)
    case 'vmap':
      return decodeVerdictMap(table, here, body)
    case 'mangle':
      return decodeMangle(table, here, body)
    case 'dnat':
      return decodeDnat(table, here, body)
    case 'masquerade':
      return step((packet) => {
        packet.isMasqueraded = true
        return 'accept'
      })
    case 'set':
      return decodeSetUpdate(table, here, body)
    case 'reject':
      return step(() => 'reject')
    case 'counter':
      return step(() => 'next')
    case 'accept':
    case 'drop':
    case 'continue':
    case 'return':
    case 'jump':
    case 'goto': {
      const verdict = decodeVerdict(table, place, value)
      return step(() => verdict)
    }
    default:
      return refuse(place, value, 'a statement that kube-proxy writes')
  }
}

function step(run: (packet: Packet) => Effect): Step {
  return { choiceCount: 1, run }
}

function decodeVerdictMap(table: NftTable, place: Place, value: unknown): Step {
  const body = objectAt(place, value, ['key', 'data'])
  const key = decodeExpression(table, at(place, 'key'), body.key)
  const data = decodeVerdictData(table, at(place, 'data'), body.data)
  return {
    choiceCount: key.choiceCount,
    run: (packet, choice) => {
      const text = key.value(packet, choice)
      return text === undefined ? 'break' : (data.lookUp(text) ?? 'break')
    },
  }
}

function decodeVerdictData(table: NftTable, place: Place, value: unknown): NftSet<Effect> {
  if (typeof value === 'string') return named(place, table.verdictMaps, value)
  const body = objectAt(place, value, ['set'])
  const decodeData = (where: Place, data: unknown): Effect => decodeVerdict(table, where, data)
  return indexElements(decodeMapElements(at(place, 'set'), body.set, decodeData), 0)
}

function decodeMangle(table: NftTable, place: Place, value: unknown): Step {
  const body = objectAt(place, value, ['key', 'value'])
  const [tag, key] = tagAt(at(place, 'key'), body.key)
  if (tag !== 'meta' || (key as JsonObject | null)?.key !== 'mark') {
    return refuse(at(place, 'key'), body.key, 'meta mark')
  }
  const mark = decodeExpression(table, at(place, 'value'), body.value)
  return {
    choiceCount: mark.choiceCount,
    run: (packet, choice) => {
      const text = mark.value(packet, choice)
      if (text === undefined) return 'break'
      packet.mark = Number(text)
      return 'next'
    },
  }
}

function decodeDnat(table: NftTable, place: Place, value: unknown): Step {
  const body = objectAt(place, value, ['family', 'addr', 'port', 'flags'])
  const target = decodeExpression(table, at(place, 'addr'), body.addr)
  const port = body.port === undefined ? undefined : numberAt(at(place, 'port'), body.port)
  return {
    choiceCount: target.choiceCount,
    run: (packet, choice) => {
      const text = target.value(packet, choice)
      if (text === undefined) return 'break'
      const [address = '', mappedPort] = text.split(fieldSeparator)
      if (!/[.:]/.test(address)) return refuse(place, text, 'an address')
      packet.destination = address
      if (mappedPort !== undefined) packet.destinationPort = Number(mappedPort)
      else if (port !== undefined) packet.destinationPort = port
      packet.isDnat = true
      return 'accept'
    },
  }
}

/** `update @affinity { ip saddr }`: the client is bound to the backend for the timeout. */
function decodeSetUpdate(table: NftTable, place: Place, value: unknown): Step {
  const body = objectAt(place, value, ['op', 'elem', 'set'])
  if (body.op !== 'update' && body.op !== 'add') {
    return refuse(at(place, 'op'), body.op, 'update or add')
  }
  const { timeoutSeconds } = named(at(place, 'set'), table.sets, body.set)
  const { key, timeout } = decodeAddedElement(at(place, 'elem'), body.elem)
  const fields = tagAt(at(place, 'elem'), key)
  const parts = fields[0] === 'concat' ? listAt(at(place, 'elem'), fields[1]) : [key]
  for (const part of parts) decodeExpression(table, at(place, 'elem'), part)
  return step((packet) => {
    packet.affinitySeconds = timeout ?? timeoutSeconds
    return 'next'
  })
}

function decodeAddedElement(
  place: Place,
  value: unknown,
): { readonly key: unknown; readonly timeout: number | undefined } {
  const [tag, body] = tagAt(place, value)
  if (tag !== 'elem') return { key: value, timeout: undefined }
  const element = objectAt(at(place, tag), body, ['val', 'timeout'])
  const { timeout } = element
  return {
    key: element.val,
    timeout: timeout === undefined ? undefined : numberAt(at(place, tag, 'timeout'), timeout),
  }
}
