import { type Plugin, whenReplied } from '../chain/plugin.ts'
import { withReplyMessage } from '../chain/reply.ts'
import { withMessage } from '../chain/request.ts'
import type { HeaderRule, HeaderSettings } from '../corefile/decode-header.ts'
import type { Message } from '../wire/message.ts'

/** `header`: sets and clears bits of queries and answers. */
export function headerPlugin({ query, response }: HeaderSettings): Plugin {
  return {
    name: 'header',
    serve(request, next) {
      const asked =
        query.length === 0 ? request : withMessage(request, changed(request.message, query))
      return whenReplied(next(asked), (reply) =>
        reply.kind === 'answer' && response.length > 0
          ? withReplyMessage(reply, changed(reply.message, response))
          : reply,
      )
    },
  }
}

function changed(message: Message, rules: readonly HeaderRule[]): Message {
  const bits = Object.fromEntries(rules.map((rule) => [rule.flag, rule.isSet]))
  return { ...message, flags: { ...message.flags, ...bits } }
}
