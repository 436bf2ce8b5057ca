import { collectDefaultMetrics, Registry } from 'prom-client'
import { delay, systemClock } from '../../kube/clock.ts'
import { aborted } from '../../net/aborted.ts'
import type { Logger } from '../../observe/logger.ts'
import type { Corefile } from '../corefile/check-corefile.ts'
import type { AnswerEngine } from './answer-engine.ts'
import { StatusPages } from './status-pages.ts'

/** What a DNS server is put together from. */
export interface DnsParts {
  readonly logger: Logger
  /** Reads the Corefile, at the start and when it may have changed. Throws what is wrong with it. */
  readonly readCorefile: () => Corefile
  /** Calls back when the Corefile is to be read again, until the signal is aborted. */
  readonly onReload?: (reload: () => void, signal: AbortSignal) => void
  /** Told each time that a Corefile has come into force, the first one or another, and its queries are
   *  answered. */
  readonly listening: (labels: readonly string[], isFirst: boolean) => void
}

/** Serves a Corefile until the signal is aborted, and closes the engine. Rejects when something that it names
 *  cannot be had: an address, a certificate, the cluster. A Corefile that is read later and is wrong leaves
 *  the one before it in force. */
export async function serveDns(
  parts: DnsParts,
  engine: AnswerEngine,
  signal: AbortSignal,
): Promise<void> {
  const ending = new AbortController()
  const living = AbortSignal.any([signal, ending.signal])
  const server = new DnsServer(parts, engine)
  try {
    await Promise.race([server.start(), engine.failed, aborted(signal)])
    if (signal.aborted) return
    parts.onReload?.(() => void server.reload(living), living)
    await Promise.race([aborted(signal), engine.failed])
    await server.lameduck()
  } finally {
    ending.abort()
    await server.close()
  }
}

class DnsServer {
  readonly #parts: DnsParts
  readonly #engine: AnswerEngine
  readonly #pages: StatusPages
  #corefile: Corefile | undefined
  #isEnding = false
  /** One reload at a time; what comes in between is one more. */
  #reloading: Promise<void> | undefined
  #isReloadDue = false

  constructor(parts: DnsParts, engine: AnswerEngine) {
    this.#parts = parts
    this.#engine = engine
    const processMetrics = new Registry()
    collectDefaultMetrics({ register: processMetrics })
    this.#pages = new StatusPages({ engine, isHealthy: () => !this.#isEnding, processMetrics })
  }

  async start(): Promise<void> {
    this.#parts.listening(await this.#take(), true)
  }

  /** Puts the Corefile as it is now into force, or logs why not. */
  async reload(signal: AbortSignal): Promise<void> {
    this.#isReloadDue = true
    this.#reloading ??= this.#reloadWhileDue(signal)
    await this.#reloading
  }

  /** Answers for a while longer than /health says so, as `health { lameduck }` asks. */
  async lameduck(): Promise<void> {
    this.#isEnding = true
    const times = (this.#corefile?.blocks ?? []).flatMap(({ settings }) =>
      (settings.health ?? []).map(({ lameduckMs }) => lameduckMs),
    )
    const longestMs = Math.max(0, ...times)
    if (longestMs > 0) await delay(systemClock, longestMs, new AbortController().signal)
  }

  async close(): Promise<void> {
    await this.#reloading
    await Promise.all([this.#engine.close(), this.#pages.close()])
  }

  async #reloadWhileDue(signal: AbortSignal): Promise<void> {
    const { logger, listening } = this.#parts
    while (this.#isReloadDue && !signal.aborted) {
      this.#isReloadDue = false
      try {
        listening(await this.#take(), false)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        logger.error({ reason }, 'Corefile not taken, the one before it stays in force')
      }
    }
    this.#reloading = undefined
  }

  async #take(): Promise<readonly string[]> {
    const corefile = this.#parts.readCorefile()
    const labels = await this.#pages.replace(corefile, () => this.#engine.take(corefile))
    this.#corefile = corefile
    return labels
  }
}
