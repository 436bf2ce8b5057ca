import { parseAddress } from '../../net/address.ts'
import type { DnsName } from '../wire/name.ts'
import { formatType, recordTypes } from '../wire/numbers.ts'
import type { RecordData } from '../wire/record-data.ts'
import { parseRawData } from './parse-raw-data.ts'
import { parseServiceParameters } from './service-parameters.ts'
import { absoluteName, characterString, parseTtl } from './zone-names.ts'
import { refuseWord, type ZoneWord } from './zone-text.ts'

/** Parses what follows the type of a record, as text of its own form or as `\# LENGTH HEX` (RFC 3597). */
export function parseRecordData(
  type: number,
  typeWord: ZoneWord,
  words: readonly ZoneWord[],
  origin: DnsName,
): RecordData {
  const fields = new Fields(typeWord, words, origin)
  const data = words[0]?.text === '\\#' ? fields.generic() : parseData(type, fields)
  fields.end()
  return data
}

function parseData(type: number, fields: Fields): RecordData {
  switch (type) {
    case recordTypes.A:
      return { kind: 'A', address: fields.address(4) }
    case recordTypes.AAAA:
      return { kind: 'AAAA', address: fields.address(6) }
    case recordTypes.NS:
      return { kind: 'NS', target: fields.name() }
    case recordTypes.CNAME:
      return { kind: 'CNAME', target: fields.name() }
    case recordTypes.PTR:
      return { kind: 'PTR', target: fields.name() }
    case recordTypes.DNAME:
      return { kind: 'DNAME', target: fields.name() }
    case recordTypes.MX:
      return { kind: 'MX', preference: fields.u16(), target: fields.name() }
    case recordTypes.SRV: {
      const [priority, weight, port] = [fields.u16(), fields.u16(), fields.u16()]
      return { kind: 'SRV', priority, weight, port, target: fields.name() }
    }
    case recordTypes.SOA:
      return parseSoa(fields)
    case recordTypes.TXT:
    case recordTypes.SPF:
      return { kind: 'TXT', strings: fields.rest().map(characterString) }
    case recordTypes.NAPTR: {
      const [order, preference] = [fields.u16(), fields.u16()]
      const [flags, services, regexp] = [fields.bytes(), fields.bytes(), fields.bytes()]
      return {
        kind: 'NAPTR',
        order,
        preference,
        flags,
        services,
        regexp,
        replacement: fields.name(),
      }
    }
    case recordTypes.CAA: {
      const flags = fields.number(0xff)
      return { kind: 'CAA', flags, tag: fields.bytes(), value: fields.bytes() }
    }
    case recordTypes.SVCB:
    case recordTypes.HTTPS: {
      const [priority, target] = [fields.u16(), fields.name()]
      return { kind: 'SVCB', priority, target, parameters: parseServiceParameters(fields.rest()) }
    }
    default:
      return { kind: 'raw', bytes: parseRawData(type, fields.rest()) ?? fields.refuseType(type) }
  }
}

function parseSoa(fields: Fields): RecordData {
  const [mname, rname] = [fields.name(), fields.name()]
  const serial = fields.number(0xffffffff)
  const [refresh, retry, expire] = [fields.seconds(), fields.seconds(), fields.seconds()]
  return { kind: 'SOA', mname, rname, serial, refresh, retry, expire, minimum: fields.seconds() }
}

/** The words of a record's data, taken one by one. */
class Fields {
  readonly #typeWord: ZoneWord
  readonly #words: readonly ZoneWord[]
  readonly #origin: DnsName
  #index = 0

  constructor(typeWord: ZoneWord, words: readonly ZoneWord[], origin: DnsName) {
    this.#typeWord = typeWord
    this.#words = words
    this.#origin = origin
  }

  #next(): ZoneWord {
    const word = this.#words[this.#index++]
    if (word === undefined) refuseWord(this.#typeWord, `${this.#typeWord.text}: too few fields`)
    return word
  }

  name(): DnsName {
    return absoluteName(this.#next(), this.#origin)
  }

  bytes(): Uint8Array {
    return characterString(this.#next())
  }

  u16(): number {
    return this.number(0xffff)
  }

  number(max: number): number {
    const word = this.#next()
    const value = /^[0-9]{1,10}$/.test(word.text) ? Number(word.text) : Number.NaN
    if (value <= max) return value
    refuseWord(word, `got ${JSON.stringify(word.text)}, expected a number 0..${max}`)
  }

  seconds(): number {
    const word = this.#next()
    const value = parseTtl(word.text)
    if (value !== undefined) return value
    refuseWord(word, `got ${JSON.stringify(word.text)}, expected seconds`)
  }

  address(family: 4 | 6): string {
    const word = this.#next()
    const address = parseAddress(word.text)
    if (address?.family === family) return address.text
    refuseWord(word, `got ${JSON.stringify(word.text)}, expected an IPv${family} address`)
  }

  /** All that is left, at least one word. */
  rest(): readonly ZoneWord[] {
    const words = this.#words.slice(this.#index)
    this.#index = this.#words.length
    return words
  }

  generic(): RecordData {
    this.#index = 1
    const length = this.u16()
    const hex = this.rest()
      .map((word) => word.text)
      .join('')
    if (/^(?:[0-9a-fA-F]{2})*$/.test(hex) && hex.length === 2 * length) {
      return { kind: 'raw', bytes: Buffer.from(hex, 'hex') }
    }
    refuseWord(this.#typeWord, `expected ${length} bytes in hexadecimal`)
  }

  end(): void {
    const extra = this.#words[this.#index]
    if (extra !== undefined) refuseWord(extra, `unexpected ${JSON.stringify(extra.text)}`)
  }

  refuseType(type: number): never {
    const how = 'write its data as \\# LENGTH HEXADECIMAL'
    refuseWord(this.#typeWord, `${formatType(type)} has no text form here: ${how}`)
  }
}
