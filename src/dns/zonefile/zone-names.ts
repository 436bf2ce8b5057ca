import { type DnsName, parseName } from '../wire/name.ts'
import { refuseWord, type ZoneWord } from './zone-text.ts'

/** A name of a zone file: `@` is the origin, and what has no final dot is below it. */
export function absoluteName(word: ZoneWord, origin: DnsName): DnsName {
  if (word.text === '@' && !word.isQuoted) return origin
  const isAbsolute = /(?:^|[^\\])(?:\\\\)*\.$/.test(word.text)
  const suffix = origin === '.' ? '' : origin
  const name = parseName(isAbsolute || word.text === '' ? word.text : `${word.text}.${suffix}`)
  if (name === undefined) refuseWord(word, `${JSON.stringify(word.text)} is not a domain name`)
  return name
}

const unitSeconds: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
}

/** Seconds of `3600`, `1h30m`, `2D`; undefined when it is no time. */
export function parseTtl(text: string): number | undefined {
  if (!/^(?:[0-9]{1,10}[smhdwSMHDW]?)+$/.test(text)) return undefined
  let total = 0
  for (const [, digits = '', unit = ''] of text.matchAll(/([0-9]+)([a-zA-Z]?)/g)) {
    total += Number(digits) * (unitSeconds[unit.toLowerCase()] ?? 1)
  }
  return total <= 0xffffffff ? total : undefined
}

/** The bytes of a character string: `\032` is a byte, `\x` the character itself. At most 255. */
export function characterString(word: ZoneWord): Uint8Array {
  const bytes: number[] = []
  const source = Buffer.from(word.text)
  for (let index = 0; index < source.length; index++) {
    const byte = source[index] ?? 0
    const digits = /^[0-9]{3}/.exec(source.toString('latin1', index + 1, index + 4))?.[0]
    if (byte !== 0x5c) bytes.push(byte)
    else if (digits !== undefined) {
      if (Number(digits) > 255) refuseWord(word, `\\${digits} is no byte`)
      bytes.push(Number(digits))
      index += 3
    } else bytes.push(source[++index] ?? 0x5c)
  }
  if (bytes.length > 255) refuseWord(word, 'a character string has at most 255 bytes')
  return Uint8Array.from(bytes)
}
