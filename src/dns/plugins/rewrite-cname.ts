import { type Outcome, whenReplied } from '../chain/plugin.ts'
import { type Reply, withReplyMessage } from '../chain/reply.ts'
import type { Request } from '../chain/request.ts'
import type { RewriteChange } from '../corefile/decode-rewrite.ts'
import { parseName } from '../wire/name.ts'
import { matchesName, replaceInName } from './rewrite-names.ts'

/** Which alias targets are replaced, and by what. */
export type CnameRule = Extract<RewriteChange, { kind: 'cname' }>

/** The reply with its aliases led to another target, and what the server itself says about that one; the
 *  same when no alias is concerned. */
export function replaceTarget(rule: CnameRule, request: Request, reply: Reply): Outcome {
  if (reply.kind !== 'answer') return reply
  const { answers } = reply.message
  const found = answers.find(
    ({ data }) => data.kind === 'CNAME' && matchesName(rule.match, data.target),
  )
  if (found?.data.kind !== 'CNAME') return reply
  const target = parseName(replaceInName(rule.match, rule.to, found.data.target))
  if (target === undefined) return reply
  const aliases = answers.flatMap((record) =>
    record.data.kind === 'CNAME' ? { ...record, data: { kind: 'CNAME' as const, target } } : [],
  )
  return whenReplied(request.lookup(target, request.question.type), (led) => {
    if (led.kind !== 'answer') return reply
    const { message } = led
    const records = message.answers.filter((record) => record.name === target)
    const flags = { ...reply.message.flags, tc: message.flags.tc }
    return withReplyMessage(reply, { ...reply.message, flags, answers: [...aliases, ...records] })
  })
}
