import type { Logger } from '../observe/logger.ts'
import type { Mechanism } from './port/mechanism.ts'
import type { ReconcilerObserver } from './reconciler-observer.ts'
import type { SetupChange } from './running-setup.ts'

/** A round that brings another setup into force. */
export interface ChangingRound {
  readonly observer: ReconcilerObserver
  /** To be awaited when the round's reconciler has ended: what is to be removed is gone then. */
  readonly finish: () => Promise<void>
}

/** Ends a change of the setup. After the first synchronisation with the next one, what leaves is removed.
 *  When the kernel refuses that synchronisation and there is a setup to go back to, `end` ends the round,
 *  and what the next one wrote is removed. */
export function bringIntoForce(
  change: SetupChange,
  observer: ReconcilerObserver,
  logger: Logger,
  end: () => void,
): ChangingRound {
  const { next, leaving, accept, refuse } = change
  let finish: (() => Promise<void>) | undefined
  return {
    observer: {
      ...observer,
      synchronized(done) {
        observer.synchronized(done)
        if (finish !== undefined) return
        const gone = leaving.filter(({ drain }) => drain === undefined)
        const removed = removeAll(gone, logger).then(() =>
          accept((mechanism, signal) => retire(mechanism, logger, signal)),
        )
        finish = () => removed
      },
      failed(error, retryMs) {
        observer.failed(error, retryMs)
        if (finish !== undefined || refuse === undefined) return
        // With the same mechanism, the next comparison writes what the present options ask for.
        const unwanted = leaving.length === 0 ? [] : [next.mechanism]
        finish = () => removeAll(unwanted, logger).then(() => refuse(error))
        end()
      },
    },
    finish: async () => finish?.(),
  }
}

async function retire(mechanism: Mechanism, logger: Logger, signal: AbortSignal): Promise<void> {
  const { name: mode } = mechanism
  logger.info({ mode }, 'open connections go on through the other mode until they have ended')
  try {
    await mechanism.drain?.(signal)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    logger.error({ mode, reason }, 'the other mode cannot be drained')
  }
  if (!signal.aborted) await removeAll([mechanism], logger)
}

async function removeAll(mechanisms: readonly Mechanism[], logger: Logger): Promise<void> {
  for (const mechanism of mechanisms) {
    const { name: mode } = mechanism
    try {
      const { operations } = await mechanism.cleanup()
      logger.info({ mode, operations }, 'removed what the other mode had written')
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      logger.error(
        { mode, reason },
        `what the other mode had written could not be removed: run portolan proxy --cleanup --proxy-mode ${mode}`,
      )
    }
  }
}
