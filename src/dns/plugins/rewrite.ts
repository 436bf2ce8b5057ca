import { type Next, type Outcome, type Plugin, whenReplied } from '../chain/plugin.ts'
import { answerTo, failure, type Reply, withReplyMessage } from '../chain/reply.ts'
import { type Request, withQuestion } from '../chain/request.ts'
import type { RewriteChange, RewriteRule } from '../corefile/decode-rewrite.ts'
import { parseName } from '../wire/name.ts'
import { rcodes } from '../wire/numbers.ts'
import { type AnswerChange, changeAnswer, type Rewritten } from './rewrite-answer.ts'
import { type CnameRule, replaceTarget } from './rewrite-cname.ts'
import { rewriteEdns } from './rewrite-edns.ts'
import { matchesName, rewriteName } from './rewrite-names.ts'

/** A request after all rules that apply. */
interface Asked {
  readonly request: Request
  readonly changes: readonly AnswerChange[]
  readonly targets: readonly CnameRule[]
  /** A rule that ends the search applied: failures are answered here too. */
  readonly isStopped: boolean
}

/** `rewrite`: changes questions, and turns their answers back. The client always sees its own question. */
export function rewritePlugin(rules: readonly RewriteRule[]): Plugin {
  return {
    name: 'rewrite',
    serve(request, next) {
      const asked = applyRules(rules, request)
      const { name } = asked.request.question
      if (parseName(name) === undefined) {
        return failure(rcodes.SERVFAIL, `rewrite: ${JSON.stringify(name)} is no domain name`)
      }
      const hasWayBack = asked.isStopped || asked.changes.length + asked.targets.length > 0
      return hasWayBack ? askAndTurnBack(request, asked, next) : next(asked.request)
    },
  }
}

function applyRules(rules: readonly RewriteRule[], request: Request): Asked {
  const changes: AnswerChange[] = []
  const targets: CnameRule[] = []
  let current = request
  for (const { change, isLast } of rules) {
    if (change.kind === 'cname') targets.push(change)
    else {
      const rewritten = applyChange(change, current)
      if (rewritten === undefined) continue
      current = rewritten.request
      changes.push(...rewritten.changes)
    }
    request.trace?.note('rewrite', `a rule for ${change.kind} applies: ${current.question.name}`)
    if (isLast) return { request: current, changes, targets, isStopped: true }
  }
  return { request: current, changes, targets, isStopped: false }
}

function applyChange(
  change: Exclude<RewriteChange, CnameRule>,
  request: Request,
): Rewritten | undefined {
  const { question } = request
  switch (change.kind) {
    case 'name':
      return rewriteName(change, request)
    case 'class':
      if (question.class !== change.from) return undefined
      return { request: withQuestion(request, { ...question, class: change.to }), changes: [] }
    case 'type':
      if (question.type !== change.from) return undefined
      return { request: withQuestion(request, { ...question, type: change.to }), changes: [] }
    case 'edns0':
      return rewriteEdns(change, request)
    case 'ttl':
    case 'rcode':
      return matchesName(change.match, request.name) ? { request, changes: [change] } : undefined
  }
}

/** Asks the changed question; what comes back gets the client's question, and the rules' changes in
 *  reverse order. A failure becomes a message here, as in CoreDNS. */
function askAndTurnBack(original: Request, asked: Asked, next: Next): Outcome {
  const questions = original.message.questions.slice(0, 1)
  const turnBack = (reply: Reply): Reply => {
    if (reply.kind !== 'answer') return reply
    const message = changeAnswer({ ...reply.message, questions }, asked.changes)
    return withReplyMessage(reply, message)
  }
  const replied = whenReplied(next(asked.request), (reply) => {
    if (reply.kind !== 'failure') return reply
    const { rcode, reason } = reply
    const answered = answerTo(original.message, { rcode })
    return reason === undefined ? answered : { ...answered, reason }
  })
  const led = asked.targets.reduce<Outcome>(
    (outcome, target) =>
      whenReplied(outcome, (reply) => replaceTarget(target, asked.request, reply)),
    replied,
  )
  return whenReplied(led, turnBack)
}
