import { type Plugin, whenReplied } from '../chain/plugin.ts'
import { withReplyMessage } from '../chain/reply.ts'
import type { Edns } from '../wire/message.ts'
import { ednsOptions } from '../wire/numbers.ts'

/** `nsid`: tells the server's name to clients that ask for it (RFC 5001). */
export function nsidPlugin(text: string): Plugin {
  const option = { code: ednsOptions.NSID, data: Buffer.from(text) }
  return {
    name: 'nsid',
    serve(request, next) {
      const asked = request.message.edns
      if (asked?.options.some(({ code }) => code === ednsOptions.NSID) !== true) {
        return next(request)
      }
      return whenReplied(next(request), (reply) => {
        if (reply.kind !== 'answer') return reply
        const edns: Edns = reply.message.edns ?? {
          udpSize: asked.udpSize,
          version: 0,
          isDnssecOk: true,
          options: [],
        }
        const others = edns.options.filter(({ code }) => code !== ednsOptions.NSID)
        const message = { ...reply.message, edns: { ...edns, options: [...others, option] } }
        return withReplyMessage(reply, message)
      })
    },
  }
}
