import { formatRecord } from '../dns/wire/format-record.ts'
import type { Message } from '../dns/wire/message.ts'
import { formatClass, formatRcode, formatType } from '../dns/wire/numbers.ts'

/** A message as dig prints it. */
export function formatMessage(message: Message): string {
  const { id, rcode, flags, edns } = message
  const set = Object.entries(flags).flatMap(([name, isSet]) => (isSet ? [name] : []))
  const opt =
    edns === undefined
      ? ''
      : `;; EDNS: version ${edns.version}, udp ${edns.udpSize}${edns.isDnssecOk ? ', do' : ''}\n`
  return (
    `;; status: ${formatRcode(rcode)}, id: ${id}\n;; flags: ${set.join(' ')}\n${opt}` +
    `\n;; QUESTION\n${formatQuestions(message)}` +
    formatSection('ANSWER', message.answers) +
    formatSection('AUTHORITY', message.authority) +
    formatSection('ADDITIONAL', message.additional) +
    '\n'
  )
}

function formatQuestions({ questions }: Message): string {
  return questions
    .map(({ name, type, class: of }) => `;${name}\t${formatClass(of)}\t${formatType(type)}\n`)
    .join('')
}

function formatSection(title: string, records: Message['answers']): string {
  if (records.length === 0) return ''
  return `\n;; ${title}\n${records.map((record) => `${formatRecord(record)}\n`).join('')}`
}
