import type { ResourceRecord } from '../wire/message.ts'
import type { DnsName } from '../wire/name.ts'
import { parseClass, parseType, recordClasses } from '../wire/numbers.ts'
import { parseRecordData } from './parse-record-data.ts'
import { absoluteName, parseTtl } from './zone-names.ts'
import { readZoneText, refuseWord, type ZoneEntry, ZoneTextError } from './zone-text.ts'

/** What a record inherits that does not say it itself. */
export interface RecordDefaults {
  readonly origin: DnsName
  readonly owner: DnsName | undefined
  readonly ttlSeconds: number | undefined
}

/** Parses one record of a zone file: `[OWNER] [TTL] [CLASS] TYPE DATA`, TTL and class in any order. Throws
 *  a ZoneTextError. */
export function parseRecord(entry: ZoneEntry, defaults: RecordDefaults): ResourceRecord {
  const [first, ...others] = entry.words
  const name = entry.isIndented ? defaults.owner : absoluteName(first, defaults.origin)
  if (name === undefined) refuseWord(first, 'the first record needs an owner')
  const words = entry.isIndented ? entry.words : others
  let ttl = defaults.ttlSeconds
  let recordClass: number = recordClasses.IN
  let index = 0
  for (; index < Math.min(words.length, 2); index++) {
    const word = words[index]
    if (word === undefined || parseType(word.text) !== undefined) break
    const seconds = parseTtl(word.text)
    const number = parseClass(word.text)
    if (seconds !== undefined) ttl = seconds
    else if (number !== undefined) recordClass = number
    else break
  }
  const typeWord = words[index]
  const type = typeWord === undefined ? undefined : parseType(typeWord.text)
  if (typeWord === undefined || type === undefined) {
    refuseWord(typeWord ?? first, `expected a record type, got ${JSON.stringify(typeWord?.text)}`)
  }
  if (ttl === undefined) refuseWord(typeWord, 'the record has no TTL and the file no $TTL')
  const data = parseRecordData(type, typeWord, words.slice(index + 1), defaults.origin)
  return { name, type, class: recordClass, ttl, data }
}

/** Parses a text that is one record, with names relative to the root; undefined when it is not one. */
export function parseRecordText(text: string, ttlSeconds: number): ResourceRecord | undefined {
  try {
    const [entry] = readZoneText(text.trim())
    const defaults = { origin: '.', owner: undefined, ttlSeconds }
    return entry === undefined ? undefined : parseRecord(entry, defaults)
  } catch (error) {
    if (error instanceof ZoneTextError) return undefined
    throw error
  }
}
