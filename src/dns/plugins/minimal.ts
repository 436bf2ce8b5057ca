import { classify } from '../chain/classify.ts'
import { type Plugin, whenReplied } from '../chain/plugin.ts'
import { withReplyMessage } from '../chain/reply.ts'

/** `minimal`: leaves authority and additional section out of positive answers, OPT included. */
export function minimalPlugin(): Plugin {
  return {
    name: 'minimal',
    serve: (request, next) =>
      whenReplied(next(request), (reply) => {
        if (reply.kind !== 'answer' || classify(reply.message) !== 'success') return reply
        const minimal = { ...reply.message, authority: [], additional: [], edns: undefined }
        return withReplyMessage(reply, minimal)
      }),
  }
}
