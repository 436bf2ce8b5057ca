import { type Clock, delay, systemClock } from '../../kube/clock.ts'
import { aborted } from '../../net/aborted.ts'
import type { ListeningServer } from '../../observe/http-server.ts'
import { openReactor } from '../../reactor/open-reactor.ts'
import type { Reactor } from '../../reactor/reactor.ts'
import type { Corefile } from '../corefile/check-corefile.ts'
import { type DnsGeneration, type GenerationParts, openGeneration } from './dns-generation.ts'
import { createDnsMetrics, type DnsMetrics } from './dns-metrics.ts'
import { OpenListeners } from './open-listeners.ts'
import { openResponder } from './open-responder.ts'
import { listenPages } from './status-pages.ts'

/** What a DNS server is put together from. */
export interface DnsParts
  extends Omit<GenerationParts, 'cacheObserver' | 'forwardObserver' | 'reactor'> {
  /** Reads the Corefile, at the start and when it may have changed. Throws what is wrong with it. */
  readonly readCorefile: () => Corefile
  /** Calls back when the Corefile is to be read again, until the signal is aborted. */
  readonly onReload?: (reload: () => void, signal: AbortSignal) => void
  /** Told each time that a Corefile has come into force and its queries are answered. */
  readonly listening: (labels: readonly string[]) => void
}

/** A replaced Corefile's plugins may still answer queries that came before: its upstreams have this long. */
const graceMs = 6_000

/** Serves a Corefile until the signal is aborted. Rejects when something that it names cannot be had: an
 *  address, a certificate, the cluster. A Corefile that is read later and is wrong leaves the one before
 *  it in force. */
export async function serveDns(parts: DnsParts, signal: AbortSignal): Promise<void> {
  const ending = new AbortController()
  const living = AbortSignal.any([signal, ending.signal])
  const metrics = createDnsMetrics()
  const reactor = openReactor({}, ending.signal)
  const server = new DnsServer(parts, metrics, reactor, systemClock)
  try {
    await server.start(living)
    parts.onReload?.(() => void server.reload(living), living)
    await Promise.race([aborted(signal), server.failed])
    await server.lameduck()
  } finally {
    ending.abort()
    await server.close()
    await reactor.closed
  }
}

class DnsServer {
  readonly #parts: DnsParts
  readonly #metrics: DnsMetrics
  readonly #reactor: Reactor
  readonly #listeners: OpenListeners
  readonly #clock: Clock
  readonly #failure = Promise.withResolvers<never>()
  #generation: DnsGeneration | undefined
  #pages: readonly ListeningServer[] = []
  #isEnding = false
  /** One reload at a time; what comes in between is one more. */
  #reloading: Promise<void> | undefined
  #isReloadDue = false

  constructor(parts: DnsParts, metrics: DnsMetrics, reactor: Reactor, clock: Clock) {
    this.#parts = parts
    this.#metrics = metrics
    this.#reactor = reactor
    this.#listeners = new OpenListeners(reactor)
    this.#clock = clock
  }

  /** Rejects when the Corefile in force cannot go on. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  async start(signal: AbortSignal): Promise<void> {
    const { readCorefile, listening } = this.#parts
    const next = this.#open(readCorefile())
    await this.#seat(next, signal)
    this.#pages = await this.#listenPages(next)
    listening(next.listeners.map(({ label }) => label))
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
    const times = (this.#generation?.blocks ?? []).flatMap(({ settings }) =>
      (settings.settings.health ?? []).map(({ lameduckMs }) => lameduckMs),
    )
    const longestMs = Math.max(0, ...times)
    if (longestMs > 0) await delay(this.#clock, longestMs, new AbortController().signal)
  }

  async close(): Promise<void> {
    await this.#reloading
    this.#generation?.close()
    await Promise.all([this.#listeners.close(), ...this.#pages.map((page) => page.close())])
  }

  async #reloadWhileDue(signal: AbortSignal): Promise<void> {
    const { logger, listening } = this.#parts
    while (this.#isReloadDue && !signal.aborted) {
      this.#isReloadDue = false
      try {
        const next = await this.#change(signal)
        listening(next.listeners.map(({ label }) => label))
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        logger.error({ reason }, 'Corefile not taken, the one before it stays in force')
      }
    }
    this.#reloading = undefined
  }

  /** The new generation takes the seats before the old one is asked for the last time. */
  async #change(signal: AbortSignal): Promise<DnsGeneration> {
    const before = this.#generation
    const next = this.#open(this.#parts.readCorefile())
    try {
      await this.#seat(next, signal)
    } catch (error) {
      next.close()
      throw error
    }
    void delay(this.#clock, graceMs, signal).then(() => before?.close())
    // Pages of both may want one port: for them a moment without answer does no harm.
    await Promise.all(this.#pages.map((page) => page.close()))
    this.#pages = []
    this.#pages = await this.#listenPages(next)
    return next
  }

  #open(corefile: Corefile): DnsGeneration {
    const { cache, forward } = this.#metrics
    return openGeneration(corefile, {
      ...this.#parts,
      reactor: this.#reactor,
      cacheObserver: cache,
      forwardObserver: forward,
    })
  }

  async #seat(next: DnsGeneration, signal: AbortSignal): Promise<void> {
    await Promise.race([next.ready, next.failed, aborted(signal)])
    const { names, nowMs } = next
    const wanted = next.listeners.map((listener) => {
      const observer = this.#metrics.observe(listener.label, (error) =>
        this.#parts.logger.error(
          { error: String(error) },
          'a plugin failed; the client got SERVFAIL',
        ),
      )
      const parts = { names, observer, random: Math.random, nowMs }
      const countStatus = (status: number): void =>
        this.#metrics.countHttpsStatus(listener.label, status)
      return { listener, responder: openResponder(listener, parts), countStatus }
    })
    await this.#listeners.replace(wanted)
    this.#generation = next
    next.failed.catch((error: unknown) => {
      if (this.#generation === next) this.#failure.reject(error)
    })
  }

  #listenPages({ blocks }: DnsGeneration): Promise<readonly ListeningServer[]> {
    return listenPages(blocks, { metrics: this.#metrics, isHealthy: () => !this.#isEnding })
  }
}
