import type { Message } from '../wire/message.ts'
import { opcodes, rcodes, recordTypes } from '../wire/numbers.ts'

/** What kind of answer a message is, as CoreDNS tells them apart (plugin/pkg/response). */
export type AnswerKind =
  | 'success'
  | 'name-error'
  | 'no-data'
  | 'delegation'
  | 'server-error'
  | 'meta'
  | 'update'
  | 'other-error'

/** Classifies an answer. An empty NOERROR without SOA is a success; NXDOMAIN without SOA is not one that
 *  may be kept. */
export function classify(message: Message): AnswerKind {
  if (message.opcode === opcodes.UPDATE) return 'update'
  if (message.opcode === opcodes.NOTIFY) return 'meta'
  const type = message.questions[0]?.type
  if (type === recordTypes.AXFR || type === recordTypes.IXFR) return 'meta'
  const isSuccess = message.rcode === rcodes.NOERROR
  if (isSuccess && message.answers.length > 0) return 'success'
  const hasSoa = message.authority.some((record) => record.type === recordTypes.SOA)
  if (hasSoa && isSuccess) return 'no-data'
  if (hasSoa && message.rcode === rcodes.NXDOMAIN) return 'name-error'
  if (message.rcode === rcodes.SERVFAIL || message.rcode === rcodes.NOTIMP) return 'server-error'
  if (!isSuccess) return 'other-error'
  const hasServers = message.authority.some((record) => record.type === recordTypes.NS)
  return hasServers ? 'delegation' : 'success'
}

/** The classes of `log`: what was found, what does not exist, what went wrong. */
export function answerClass(kind: AnswerKind): 'success' | 'denial' | 'error' {
  switch (kind) {
    case 'success':
    case 'delegation':
      return 'success'
    case 'name-error':
    case 'no-data':
      return 'denial'
    default:
      return 'error'
  }
}
