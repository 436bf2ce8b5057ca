import type { ResourceRecord } from '../wire/message.ts'
import type { DnsName } from '../wire/name.ts'
import { parseRecord, type RecordDefaults } from './parse-record.ts'
import { absoluteName, parseTtl } from './zone-names.ts'
import { readZoneText, refuseWord, type ZoneEntry, type ZoneWord } from './zone-text.ts'

/** Reads a file that `$INCLUDE` names; undefined when it cannot be read. */
export type ReadInclude = (path: string) => string | undefined

/** Files that include each other end here. */
const maxIncludeDepth = 7

/** Parses a zone file (RFC 1035 section 5, RFC 2308 for $TTL). `$GENERATE` is refused: it is no standard,
 *  and one line of it makes millions of records. Throws a ZoneTextError with line and column. */
export function parseZoneFile(
  text: string,
  origin: DnsName,
  readInclude: ReadInclude,
): readonly ResourceRecord[] {
  const records: ResourceRecord[] = []
  readEntries(text, { origin, owner: undefined, ttlSeconds: undefined }, 0)
  return records

  function readEntries(source: string, start: RecordDefaults, depth: number): void {
    let defaults = start
    for (const entry of readZoneText(source)) {
      const [first] = entry.words
      if (!first.text.startsWith('$') || first.isQuoted) {
        const record = parseRecord(entry, defaults)
        records.push(record)
        // RFC 1035 section 5.1: a record without TTL has the last one that was stated.
        const ttlSeconds = defaults.ttlSeconds ?? record.ttl
        defaults = { ...defaults, owner: record.name, ttlSeconds }
      } else if (first.text === '$INCLUDE') include(entry, defaults, depth)
      else defaults = { ...defaults, ...readDirective(first, entry, defaults) }
    }
  }

  function include(entry: ZoneEntry, defaults: RecordDefaults, depth: number): void {
    const [first, path, name] = entry.words
    const source = path === undefined ? undefined : readInclude(path.text)
    if (source === undefined) refuseWord(path ?? first, 'the file to include cannot be read')
    if (depth >= maxIncludeDepth) refuseWord(first, 'files include each other')
    const inner = name === undefined ? defaults.origin : absoluteName(name, defaults.origin)
    readEntries(source, { ...defaults, origin: inner }, depth + 1)
  }
}

function readDirective(
  directive: ZoneWord,
  { words }: ZoneEntry,
  { origin }: RecordDefaults,
): Partial<RecordDefaults> {
  const value = words[1]
  if (value === undefined) refuseWord(directive, `${directive.text} needs a value`)
  switch (directive.text) {
    case '$ORIGIN':
      return { origin: absoluteName(value, origin) }
    case '$TTL': {
      const ttlSeconds = parseTtl(value.text)
      if (ttlSeconds === undefined) refuseWord(value, 'expected seconds, or a time like 1h')
      return { ttlSeconds }
    }
    case '$GENERATE':
      refuseWord(directive, '$GENERATE is not supported: write the records out')
  }
  refuseWord(directive, `unknown directive ${JSON.stringify(directive.text)}`)
}
