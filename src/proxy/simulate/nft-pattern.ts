import { addressBytes, familyOf, parseAddress, writeAddress } from '../../net/address.ts'
import { parsePrefix, prefixRange } from '../../net/prefix.ts'
import {
  at,
  listAt,
  numberAt,
  objectAt,
  type Place,
  refuse,
  stringAt,
  tagAt,
} from './json-shape.ts'

/** A field or a concatenation of fields as text; the fields of a concatenation are joined by
 *  `fieldSeparator`, as nft prints them. */
export type FieldText = string

/** Stands between the fields of a concatenation. */
export const fieldSeparator = ' . '

/** Whether a text has a form; `exact` is set where only one text has it. */
export interface Pattern {
  readonly exact: FieldText | undefined
  matches(text: FieldText): boolean
}

/** Decodes a constant of nft's JSON: text, number, prefix, range, or a concatenation of those. */
export function decodePattern(place: Place, value: unknown): Pattern {
  if (typeof value === 'string') return textPattern(value)
  if (typeof value === 'number') return exactly(String(numberAt(place, value)))
  const [tag, body] = tagAt(place, value)
  switch (tag) {
    case 'prefix':
      return prefixPattern(at(place, tag), body)
    case 'range':
      return rangePattern(at(place, tag), body)
    case 'concat':
      return concatPattern(
        listAt(at(place, tag), body).map((field, index) =>
          decodePattern(at(place, tag, index), field),
        ),
      )
    default:
      return refuse(place, value, 'text, number, prefix, range or concat')
  }
}

function exactly(text: FieldText): Pattern {
  return { exact: text, matches: (other) => other === text }
}

/** `veth*` matches every name that starts so; nft writes a literal asterisk as `\*`. */
function textPattern(text: string): Pattern {
  if (text.endsWith('\\*')) return exactly(`${text.slice(0, -2)}*`)
  if (text.endsWith('*')) {
    const start = text.slice(0, -1)
    return { exact: undefined, matches: (other) => other.startsWith(start) }
  }
  return exactly(parseAddress(text)?.text ?? text)
}

function prefixPattern(place: Place, value: unknown): Pattern {
  const body = objectAt(place, value, ['addr', 'len'])
  const address = stringAt(at(place, 'addr'), body.addr)
  const text = `${address}/${numberAt(at(place, 'len'), body.len)}`
  const prefix = parsePrefix(text) ?? refuse(place, text, 'an address and a prefix length')
  const { first, last } = prefixRange(prefix)
  return betweenAddresses(first, last)
}

function rangePattern(place: Place, value: unknown): Pattern {
  const [from, to, ...rest] = listAt(place, value)
  if (rest.length > 0) return refuse(place, value, 'two ends')
  if (typeof from === 'number' && typeof to === 'number') {
    return { exact: undefined, matches: (text) => from <= Number(text) && Number(text) <= to }
  }
  return betweenAddresses(
    parsedOctets(at(place, 0), stringAt(at(place, 0), from)),
    parsedOctets(at(place, 1), stringAt(at(place, 1), to)),
  )
}

function betweenAddresses(first: Uint8Array, last: Uint8Array): Pattern {
  return {
    exact: undefined,
    matches: (text) => {
      const bytes = addressOctets(text)
      if (bytes.length !== first.length) return false
      return Buffer.compare(bytes, first) >= 0 && Buffer.compare(bytes, last) <= 0
    },
  }
}

function concatPattern(fields: readonly Pattern[]): Pattern {
  const exact: string[] = []
  for (const field of fields) if (field.exact !== undefined) exact.push(field.exact)
  if (exact.length === fields.length) return exactly(exact.join(fieldSeparator))
  return {
    exact: undefined,
    matches: (text) => {
      const texts = text.split(fieldSeparator)
      return (
        texts.length === fields.length &&
        fields.every((field, index) => field.matches(texts[index] ?? ''))
      )
    },
  }
}

function parsedOctets(place: Place, text: string): Uint8Array {
  const address = parseAddress(text) ?? refuse(place, text, 'an address')
  return addressOctets(address.text)
}

/** The address must be canonical, as those of packets are. */
function addressOctets(address: string): Uint8Array {
  const bytes = new Uint8Array(addressBytes(familyOf(address)))
  writeAddress(bytes, 0, address)
  return bytes
}
