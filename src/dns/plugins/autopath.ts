import type { Next, Outcome, Plugin } from '../chain/plugin.ts'
import { whenReplied } from '../chain/plugin.ts'
import { type Answer, failure, notMemoized, type Reply, withReplyMessage } from '../chain/reply.ts'
import { detached, type Request, withQuestion } from '../chain/request.ts'
import { longestZone } from '../chain/zones.ts'
import { type DnsName, isInZone, nameLabels, parseName, sameName } from '../wire/name.ts'
import { rcodes, recordClasses, recordTypes } from '../wire/numbers.ts'

/** The search path of a client: absolute zones, the empty text last; undefined: not known. */
export type SearchPathOf = (request: Request) => readonly string[] | undefined

/** `autopath`: walks the client's search path on the server, when the query is for its first element,
 *  and answers with what the first success gives, behind an alias. */
export function autopathPlugin(zones: readonly DnsName[], searchPathOf: SearchPathOf): Plugin {
  return {
    name: 'autopath',
    serve(request, next) {
      if (longestZone(zones, request.name) === undefined) return next(request)
      const path = searchPathOf(request)
      const [first] = path ?? []
      if (path === undefined || first === undefined || !isInZone(request.name, first)) {
        // Another client may have another path.
        return whenReplied(next(request), notMemoized)
      }
      return whenReplied(walk(request, path, next), notMemoized)
    },
  }
}

function walk(request: Request, path: readonly string[], next: Next): Outcome {
  const base = baseName(request.question.name, path[0] ?? '')
  if (base === undefined) {
    return failure(rcodes.SERVFAIL, `autopath: ${request.question.name} has no label of its own`)
  }
  const inner = detached(request)
  const tryFrom = (index: number, firstReply: Reply | undefined): Outcome => {
    const zone = path[index]
    if (zone === undefined) return firstReply ?? failure(rcodes.SERVFAIL, undefined)
    const name = parseName(`${base}.${zone === '.' ? '' : zone}`)
    if (name === undefined) return tryFrom(index + 1, firstReply)
    const outcome = next(withQuestion(inner, { ...request.question, name }))
    return whenReplied(outcome, (reply) => {
      if (reply.kind === 'failure' && reply.reason !== undefined) return reply
      if (reply.kind === 'answer' && reply.message.rcode !== rcodes.NXDOMAIN) {
        request.trace?.note('autopath', `${name} is the first of the search path that exists`)
        return aliased(reply, request.question.name)
      }
      return tryFrom(index + 1, firstReply ?? reply)
    })
  }
  return tryFrom(0, undefined)
}

/** The name without the first zone of the search path, case kept, without final dot; undefined when
 *  nothing is left. */
function baseName(name: DnsName, zone: string): string | undefined {
  const labels = nameLabels(name)
  const count = labels.length - nameLabels(zone).length
  return count > 0 ? labels.slice(0, count).join('.') : undefined
}

/** The reply as one to the original question: an alias leads from there to the name that was found. */
function aliased(reply: Answer, name: DnsName): Answer {
  const { message } = reply
  const other = message.answers.find((record) => !sameName(record.name, name))
  const alias = other && {
    name,
    type: recordTypes.CNAME,
    class: recordClasses.IN,
    ttl: other.ttl,
    data: { kind: 'CNAME' as const, target: other.name },
  }
  const questions = message.questions.map((question) => ({ ...question, name }))
  const answers = alias === undefined ? message.answers : [alias, ...message.answers]
  return withReplyMessage(reply, { ...message, questions, answers })
}
