import type { Plugin } from '../chain/plugin.ts'
import { withMessage } from '../chain/request.ts'

/** `bufsize`: no UDP answer is larger than this, whatever the client offers. */
export function bufsizePlugin(maxBytes: number): Plugin {
  return {
    name: 'bufsize',
    serve(request, next) {
      const { edns } = request.message
      if (edns === undefined || edns.udpSize <= maxBytes) return next(request)
      const limited = { ...edns, udpSize: maxBytes }
      request.envelope.edns = limited
      return next(withMessage(request, { ...request.message, edns: limited }))
    },
  }
}
