import type { Clock } from '../../kube/clock.ts'
import type { Logger } from '../../observe/logger.ts'
import { type Plugin, whenReplied } from '../chain/plugin.ts'
import type { Request } from '../chain/request.ts'
import type { Consolidation, ErrorsSettings } from '../corefile/decode-errors.ts'
import { formatRcode, formatType } from '../wire/numbers.ts'

/** What `errors` writes to. */
export interface ErrorsInputs {
  readonly log: Logger
  readonly clock: Clock
}

/** `errors`: logs why queries failed; those that match a pattern are counted and logged together. */
export function errorsPlugin(settings: ErrorsSettings, { log, clock }: ErrorsInputs): Plugin {
  const counts = new Map<Consolidation, number>()
  const flush = (group: Consolidation): void => {
    const count = counts.get(group) ?? 0
    counts.delete(group)
    if (count === 0) return
    const fields = { count, pattern: group.text, periodMs: group.periodMs }
    log[group.level === 'warning' ? 'warn' : group.level](fields, 'queries failed')
  }
  const report = (request: Request, rcode: number, reason: string): void => {
    const group = settings.consolidate.find(({ pattern }) => pattern.test(reason))
    if (group !== undefined) {
      const count = counts.get(group) ?? 0
      counts.set(group, count + 1)
      if (count === 0) clock.schedule(() => flush(group), group.periodMs)
      return
    }
    const type = formatType(request.question.type)
    log.error({ name: request.name, type, rcode: formatRcode(rcode), reason }, 'query failed')
  }
  return {
    name: 'errors',
    serve: (request, next) =>
      whenReplied(next(request), (reply) => {
        if (reply.kind === 'dropped' || reply.reason === undefined) return reply
        const rcode = reply.kind === 'answer' ? reply.message.rcode : reply.rcode
        report(request, rcode, reply.reason)
        return reply
      }),
    run(signal) {
      const { promise, resolve } = Promise.withResolvers<void>()
      signal.addEventListener('abort', finish, { once: true })
      function finish(): void {
        for (const group of counts.keys()) flush(group)
        resolve()
      }
      return promise
    },
  }
}
