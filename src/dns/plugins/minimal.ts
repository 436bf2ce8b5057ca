import { classify } from '../chain/classify.ts'
import { type Plugin, whenReplied } from '../chain/plugin.ts'
import { failure, withReplyMessage } from '../chain/reply.ts'
import { rcodes } from '../wire/numbers.ts'

/** `minimal`: leaves authority and additional section out of positive answers, OPT included. A refusal
 *  without answer or reason, like that of zone transfers, becomes SERVFAIL, as in CoreDNS. */
export function minimalPlugin(): Plugin {
  return {
    name: 'minimal',
    serve: (request, next) =>
      whenReplied(next(request), (reply) => {
        if (reply.kind === 'failure' && reply.reason === undefined) {
          return failure(rcodes.SERVFAIL, undefined)
        }
        if (reply.kind !== 'answer' || classify(reply.message) !== 'success') return reply
        const minimal = { ...reply.message, authority: [], additional: [], edns: undefined }
        return withReplyMessage(reply, minimal)
      }),
  }
}
