import type { Plugin } from '../chain/plugin.ts'
import { answerTo } from '../chain/reply.ts'
import { recordClasses, recordTypes } from '../wire/numbers.ts'

/** HINFO "ANY obsoleted" "See RFC 8482": two character strings. */
const hinfo = Buffer.from('\rANY obsoleted\fSee RFC 8482', 'latin1')

/** `any`: answers queries for ANY with the HINFO record of RFC 8482 section 4.2. */
export function anyPlugin(): Plugin {
  return {
    name: 'any',
    serve(request, next) {
      if (request.question.type !== recordTypes.ANY) return next(request)
      const record = {
        name: request.question.name,
        type: recordTypes.HINFO,
        class: recordClasses.IN,
        ttl: 8482,
        data: { kind: 'raw' as const, bytes: hinfo },
      }
      return answerTo(request.message, { answers: [record], memo: 'until-names-change' })
    },
  }
}
