import { type Clock, delay } from '../../kube/clock.ts'
import type { Plugin } from '../chain/plugin.ts'
import type { DnsName } from '../wire/name.ts'
import { recordTypes } from '../wire/numbers.ts'

/** What `loop` needs of the server that it runs in. */
export interface LoopInputs {
  readonly zone: DnsName
  readonly random: () => number
  readonly clock: Clock
  /** Sends a query for HINFO to the server's own listener; rejects when nothing answers. */
  readonly askItself: (name: DnsName, type: number) => Promise<void>
  /** Forwarding leads back here: queries would go round for ever. */
  readonly onLoop: (reason: string) => void
}

/** As long is the probe tried, and as long after its answer late copies are counted. */
const tryMs = 30_000
const watchMs = 2_000
const retryMs = 1_000

/** A probe that arrives more often than it was sent, and answered once more, went round. */
const maxSeen = 2

/** `loop`: asks itself for a name that nobody knows. When the query comes back through the upstreams, the
 *  forwarding is a circle. */
export function loopPlugin({ zone, random, clock, askItself, onLoop }: LoopInputs): Plugin {
  const label = (): string => String(Math.floor(random() * Number.MAX_SAFE_INTEGER))
  const probe = `${label()}.${label()}.${zone === '.' ? '' : zone}`
  let isWatching = true
  let seenCount = 0
  return {
    name: 'loop',
    serve(request, next) {
      if (isWatching && request.question.type === recordTypes.HINFO && request.name === probe) {
        if (++seenCount > maxSeen) {
          isWatching = false
          const from = `${request.client.address}:${request.client.port}`
          onLoop(`forwarding of ${zone} leads back to this server (query came from ${from})`)
        }
      }
      return next(request)
    },
    async run(signal) {
      const end = clock.now() + tryMs
      while (!signal.aborted && clock.now() < end) {
        try {
          await askItself(probe, recordTypes.HINFO)
          await delay(clock, watchMs, signal)
          break
        } catch {
          seenCount = 0
          await delay(clock, retryMs, signal)
        }
      }
      isWatching = false
    },
  }
}
