import type { EdnsOption, Message, ResourceRecord } from '../../../src/dns/wire/message.ts'
import { ednsOptions, formatClass, formatRcode, formatType } from '../../../src/dns/wire/numbers.ts'
import type { RecordData } from '../../../src/dns/wire/record-data.ts'
import { toByteString } from '../../../src/net/byte-string.ts'
import type { Exchange, RecordedAnswer, RecordedRecord } from './dns-scenario.ts'

/** How answers are compared beyond what can be equal always. */
export interface Comparison {
  /** A cache counted times to live down while the original was asked: ours may be larger. */
  readonly hasCache: boolean
}

/** What is not equal, one text each; empty: the answers are equal. Order within a section, SOA serials and
 *  cookies are not compared. Of truncated answers only the header is: which records were left out is
 *  chance where records are rotated. */
export function compareAnswer(
  recorded: Exchange['a'],
  ours: Message | undefined,
  comparison: Comparison,
): readonly string[] {
  const theirs = recorded === 'timeout' || 'timeout' in recorded ? undefined : recorded
  if (theirs === undefined || ours === undefined) {
    if (theirs === ours) return []
    return [theirs === undefined ? 'the original gave no answer' : 'we gave no answer']
  }
  const differences = compareText('header', recordedHeader(theirs), ourHeader(ours))
  if (theirs.tc && ours.flags.tc) return differences
  return [
    ...differences,
    ...compareRecords('answers', theirs.answers, ours.answers, comparison),
    ...compareRecords('authorities', theirs.authorities, ours.authority, comparison),
    ...compareRecords('additionals', theirs.additionals, ours.additional, comparison),
    ...compareText('edns', recordedEdns(theirs), ourEdns(ours)),
  ]
}

function compareText(part: string, theirs: string, ours: string): string[] {
  return theirs === ours ? [] : [`${part}: original ${theirs}, ours ${ours}`]
}

const flagNames = ['aa', 'tc', 'rd', 'ra', 'ad', 'cd'] as const

function recordedHeader(answer: RecordedAnswer): string {
  return [answer.rcode, ...flagNames.filter((flag) => answer[flag])].join(' ')
}

function ourHeader(message: Message): string {
  return [formatRcode(message.rcode), ...flagNames.filter((flag) => message.flags[flag])].join(' ')
}

function recordedEdns(answer: RecordedAnswer): string {
  const opt = answer.additionals.find(({ type }) => type === 'OPT')
  if (opt === undefined) return 'none'
  const options = (opt.options ?? []).map(({ code, data }) => optionText(code, data))
  return [opt.udpPayloadSize, opt.do === true ? 'do' : '', ...options.sort()].join(' ')
}

function ourEdns({ edns }: Message): string {
  if (edns === undefined) return 'none'
  const options = edns.options.map(({ code, data }: EdnsOption) =>
    optionText(code, Buffer.from(data).toString('hex')),
  )
  return [edns.udpSize, edns.isDnssecOk ? 'do' : '', ...options.sort()].join(' ')
}

function optionText(code: number, hex: string): string {
  return code === ednsOptions.COOKIE ? `${code}` : `${code}:${hex}`
}

interface Line {
  readonly text: string
  readonly ttl: number
}

function compareRecords(
  section: string,
  theirs: readonly RecordedRecord[],
  ours: readonly ResourceRecord[],
  { hasCache }: Comparison,
): string[] {
  const wanted = theirs.filter(({ type }) => type !== 'OPT').map(recordedLine)
  const found = ours.map(ourLine)
  for (const lines of [wanted, found]) lines.sort((a, b) => (a.text < b.text ? -1 : 1))
  const isEqual =
    wanted.length === found.length &&
    wanted.every((line, index) => {
      const other = found[index]
      if (other === undefined || line.text !== other.text) return false
      return line.ttl === other.ttl || (hasCache && line.ttl < other.ttl)
    })
  if (isEqual) return []
  return [`${section}: original ${describe(wanted)}, ours ${describe(found)}`]
}

function describe(lines: readonly Line[]): string {
  return `[${lines.map(({ text, ttl }) => `${text} ttl ${ttl}`).join('; ')}]`
}

function recordedLine(record: RecordedRecord): Line {
  const text = [absolute(record.name ?? ''), record.class, record.type, recordedData(record)]
  return { text: text.join(' ').toLowerCase(), ttl: record.ttl ?? 0 }
}

function ourLine(record: ResourceRecord): Line {
  const type = formatType(record.type)
  const text = [record.name, formatClass(record.class), type, ourData(record.data)]
  return { text: text.join(' ').toLowerCase(), ttl: record.ttl }
}

function absolute(name: string): string {
  return name.endsWith('.') ? name : `${name}.`
}

const nameTypes = new Set(['NS', 'CNAME', 'PTR', 'DNAME'])
const nameMembers = new Set(['mname', 'rname', 'target', 'exchange', 'replacement'])

/** The values of a record's data in their order on the wire, names absolute. */
function recordedData({ type, data }: RecordedRecord): string {
  if (typeof data === 'string') return nameTypes.has(type) ? absolute(data) : data
  if (Array.isArray(data)) return JSON.stringify(data)
  if (typeof data !== 'object' || data === null) return String(data)
  const fields = Object.entries(data)
    .filter(([member]) => member !== 'serial')
    .map(([member, value]) => (nameMembers.has(member) ? absolute(String(value)) : String(value)))
  return fields.join(' ')
}

function ourData(data: RecordData): string {
  switch (data.kind) {
    case 'A':
    case 'AAAA':
      return data.address
    case 'TXT':
      return JSON.stringify(data.strings.map((string) => toByteString(string)))
    case 'raw':
      return rawText(data.bytes)
    default: {
      const { kind: _, ...fields } = data
      return Object.entries(fields)
        .filter(([member]) => member !== 'serial')
        .map(([, value]) => (value instanceof Uint8Array ? toByteString(value) : String(value)))
        .join(' ')
    }
  }
}

/** HINFO is recorded as its two strings; it is the only raw type with text. */
function rawText(bytes: Uint8Array): string {
  const first = bytes[0] ?? 0
  const second = bytes[first + 1]
  if (second === undefined || first + second + 2 !== bytes.length) {
    return Buffer.from(bytes).toString('hex')
  }
  const strings = [bytes.subarray(1, first + 1), bytes.subarray(first + 2)]
  return strings.map((string) => toByteString(string)).join(' ')
}
