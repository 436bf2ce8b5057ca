import { addressBytes, familyOf, parseAddress, writeAddress } from '../../net/address.ts'
import { recordTypes } from '../wire/numbers.ts'
import type { SvcbData } from '../wire/record-data.ts'
import { characterString } from './zone-names.ts'
import { refuseWord, type ZoneWord } from './zone-text.ts'

/** Keys of SVCB and HTTPS records, RFC 9460 section 14.3.2. */
const keys: Readonly<Record<string, number>> = {
  mandatory: 0,
  alpn: 1,
  'no-default-alpn': 2,
  port: 3,
  ipv4hint: 4,
  ech: 5,
  ipv6hint: 6,
}

/** Parses `alpn=h2,h3 port=443 key65000=text ...`. */
export function parseServiceParameters(words: readonly ZoneWord[]): SvcbData['parameters'] {
  const parameters: { readonly key: number; readonly value: Uint8Array }[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index]
    if (word === undefined) continue
    const equals = word.text.indexOf('=')
    const name = equals < 0 ? word.text : word.text.slice(0, equals)
    const following = words[index + 1]
    let value = equals < 0 ? '' : word.text.slice(equals + 1)
    if (value === '' && equals >= 0 && following?.isQuoted === true) {
      value = following.text
      index++
    }
    const key = keyOf(name, word)
    parameters.push({ key, value: encodeValue(key, { ...word, text: value }) })
  }
  return parameters.toSorted((left, right) => left.key - right.key)
}

function keyOf(name: string, word: ZoneWord): number {
  const generic = /^key([0-9]{1,5})$/.exec(name)?.[1]
  const key = generic === undefined ? keys[name] : Number(generic)
  if (key === undefined) refuseWord(word, `unknown service parameter ${JSON.stringify(name)}`)
  return key
}

function encodeValue(key: number, word: ZoneWord): Uint8Array {
  const items = word.text.split(',')
  switch (key) {
    case keys.mandatory:
      return u16s(items.map((item) => keyOf(item, word)))
    case keys.alpn:
      return Uint8Array.from(
        items.flatMap((item) => {
          const bytes = characterString({ ...word, text: item })
          return [bytes.length, ...bytes]
        }),
      )
    case keys.port:
      return u16s([Number(word.text)])
    case keys.ipv4hint:
    case keys.ipv6hint:
      return Buffer.concat(
        items.map((item) => hint(key === keys.ipv4hint ? 'A' : 'AAAA', item, word)),
      )
    case keys.ech:
      return Buffer.from(word.text, 'base64')
    default:
      return characterString(word)
  }
}

function hint(kind: 'A' | 'AAAA', text: string, word: ZoneWord): Uint8Array {
  const address = parseAddress(text)
  const expected = kind === 'A' ? recordTypes.A : recordTypes.AAAA
  const actual = address?.family === 4 ? recordTypes.A : recordTypes.AAAA
  if (address === undefined || actual !== expected) refuseWord(word, `${text} is no ${kind} hint`)
  const bytes = new Uint8Array(addressBytes(familyOf(address.text)))
  writeAddress(bytes, 0, address.text)
  return bytes
}

function u16s(values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [(value >> 8) & 0xff, value & 0xff]))
}
