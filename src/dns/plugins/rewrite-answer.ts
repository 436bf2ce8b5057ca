import type { Request } from '../chain/request.ts'
import type { EdnsOption, Message, ResourceRecord } from '../wire/message.ts'
import type { DnsName } from '../wire/name.ts'
import type { RecordData } from '../wire/record-data.ts'

/** What a rule did to a request: the request that goes on, and what happens to its answer. */
export interface Rewritten {
  readonly request: Request
  readonly changes: readonly AnswerChange[]
}

/** A change that the answer gets on its way back. */
export type AnswerChange =
  | { readonly kind: 'names'; readonly part: 'name' | 'value'; readonly rename: Rename }
  | { readonly kind: 'ttl'; readonly min: number; readonly max: number }
  | { readonly kind: 'rcode'; readonly from: number; readonly to: number }
  | { readonly kind: 'edns-option'; readonly code: number; readonly before: EdnsOption | undefined }

/** Gives the name that stands for another one; the same when it is not concerned. */
export type Rename = (name: DnsName) => DnsName

/** The message after all changes, the last one first. Codes change only where there are records, as in
 *  CoreDNS. */
export function changeAnswer(message: Message, changes: readonly AnswerChange[]): Message {
  return changes.toReversed().reduce(applyChange, message)
}

function applyChange(message: Message, change: AnswerChange): Message {
  switch (change.kind) {
    case 'names':
      return eachRecord(message, (record) => renameRecord(record, change.part, change.rename))
    case 'ttl':
      return eachRecord(message, (record) => {
        const ttl = Math.min(Math.max(record.ttl, change.min), change.max)
        return ttl === record.ttl ? record : { ...record, ttl }
      })
    case 'rcode': {
      const { answers, authority, additional } = message
      const isEmpty = answers.length + authority.length + additional.length === 0
      return isEmpty || message.rcode !== change.from ? message : { ...message, rcode: change.to }
    }
    case 'edns-option': {
      if (message.edns === undefined) return message
      const options = message.edns.options.flatMap((option) =>
        option.code === change.code ? (change.before ?? []) : option,
      )
      return { ...message, edns: { ...message.edns, options } }
    }
  }
}

function eachRecord(message: Message, change: (record: ResourceRecord) => ResourceRecord): Message {
  return {
    ...message,
    answers: message.answers.map(change),
    authority: message.authority.map(change),
    additional: message.additional.map(change),
  }
}

function renameRecord(
  record: ResourceRecord,
  part: 'name' | 'value',
  rename: Rename,
): ResourceRecord {
  if (part === 'name') {
    const name = rename(record.name)
    return name === record.name ? record : { ...record, name }
  }
  const data = renameData(record.data, rename)
  return data === record.data ? record : { ...record, data }
}

/** The name in a record's data: the target, the replacement of NAPTR, the primary server of SOA. */
function renameData(data: RecordData, rename: Rename): RecordData {
  switch (data.kind) {
    case 'CNAME':
    case 'NS':
    case 'PTR':
    case 'DNAME':
    case 'MX':
    case 'SRV':
      return { ...data, target: rename(data.target) }
    case 'SOA':
      return { ...data, mname: rename(data.mname) }
    case 'NAPTR':
      return { ...data, replacement: rename(data.replacement) }
    default:
      return data
  }
}
