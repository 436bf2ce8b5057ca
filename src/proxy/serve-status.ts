import type { Clock } from '../kube/clock.ts'
import { delay } from '../kube/clock.ts'
import { aborted } from '../net/aborted.ts'
import { type HttpRoute, type ListeningServer, listenHttp } from '../observe/http-server.ts'
import type { Logger } from '../observe/logger.ts'
import { type BindAddress, formatBindAddress } from './config/bind-address.ts'

/** One status server. */
export interface StatusServer {
  /** Its name in messages, e.g. `metrics server`. */
  readonly what: string
  readonly address: BindAddress
  readonly route: HttpRoute
}

/** How servers are started. */
export interface ServeStatusOptions {
  /** A port that cannot be bound is an error, not a warning. */
  readonly isHardFail: boolean
  readonly logger: Logger
  readonly clock: Clock
}

/** Time between two attempts to bind a port, as in the original. */
const retryMs = 5_000

/** Serves until the signal is aborted. A port that cannot be bound rejects with ListenError when that is
 *  asked for; else there is one warning and it is tried again. */
export async function serveStatus(
  server: StatusServer,
  options: ServeStatusOptions,
  signal: AbortSignal,
): Promise<void> {
  const listening = await listen(server, options, signal)
  if (listening === undefined) return
  options.logger.info({ address: formatBindAddress(server.address) }, `${server.what} listens`)
  await aborted(signal)
  await listening.close()
}

async function listen(
  { what, address, route }: StatusServer,
  { isHardFail, logger, clock }: ServeStatusOptions,
  signal: AbortSignal,
): Promise<ListeningServer | undefined> {
  let isFirst = true
  while (!signal.aborted) {
    try {
      return await listenHttp(what, address, route)
    } catch (error) {
      if (isHardFail) throw error
      const message = error instanceof Error ? error.message : String(error)
      if (isFirst) logger.warn({ retryMs }, message)
      isFirst = false
      await delay(clock, retryMs, signal)
    }
  }
  return undefined
}
