import { recordTypes } from '../wire/numbers.ts'
import { characterString } from './zone-names.ts'
import type { ZoneWord } from './zone-text.ts'

/** How the data of a type without a form of its own is written: numbers by size, then the rest. */
interface RawForm {
  readonly numbers: readonly (1 | 2)[]
  readonly rest: 'hex' | 'base64' | 'strings'
}

/** RFC 1035 (HINFO), 4034 (DS, DNSKEY), 4255 (SSHFP), 6698 (TLSA), 7929 (OPENPGPKEY). */
const forms: ReadonlyMap<number, RawForm> = new Map([
  [recordTypes.HINFO, { numbers: [], rest: 'strings' }],
  [recordTypes.DS, { numbers: [2, 1, 1], rest: 'hex' }],
  [recordTypes.CDS, { numbers: [2, 1, 1], rest: 'hex' }],
  [recordTypes.DNSKEY, { numbers: [2, 1, 1], rest: 'base64' }],
  [recordTypes.CDNSKEY, { numbers: [2, 1, 1], rest: 'base64' }],
  [recordTypes.SSHFP, { numbers: [1, 1], rest: 'hex' }],
  [recordTypes.TLSA, { numbers: [1, 1, 1], rest: 'hex' }],
  [recordTypes.OPENPGPKEY, { numbers: [], rest: 'base64' }],
])

/** The bytes of a record's data in the form of its type; undefined when the type has none here or the text
 *  does not fit it. */
export function parseRawData(type: number, words: readonly ZoneWord[]): Uint8Array | undefined {
  const form = forms.get(type)
  if (form === undefined || words.length <= form.numbers.length) return undefined
  const head: number[] = []
  for (const [index, size] of form.numbers.entries()) {
    const value = Number(words[index]?.text)
    if (!Number.isInteger(value) || value < 0 || value >= 256 ** size) return undefined
    head.push(...(size === 2 ? [value >> 8] : []), value & 0xff)
  }
  const rest = words.slice(form.numbers.length)
  if (form.rest === 'strings') {
    const strings = rest.map(characterString)
    return Uint8Array.from(strings.flatMap((string) => [string.length, ...string]))
  }
  const text = rest.map((word) => word.text).join('')
  const pattern = form.rest === 'hex' ? /^(?:[0-9a-fA-F]{2})+$/ : /^[A-Za-z0-9+/]+={0,2}$/
  if (!pattern.test(text)) return undefined
  return Buffer.concat([Buffer.from(head), Buffer.from(text, form.rest)])
}
