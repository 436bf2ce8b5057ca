import { type Clock, delay } from '../../kube/clock.ts'
import { aborted } from '../../net/aborted.ts'
import { openReactor } from '../../reactor/open-reactor.ts'
import type { Reactor } from '../../reactor/reactor.ts'
import { encodeResponse } from '../answer/encode-response.ts'
import type { PacketResponder } from '../answer/packet-responder.ts'
import type { Corefile } from '../corefile/check-corefile.ts'
import type { DnsListener } from '../plugins/build-servers.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import { maxMessageBytes } from '../wire/message.ts'
import type { AnswerEngine, ExplainQuery, Explanation, MetricsJson } from './answer-engine.ts'
import { queryMessage } from './ask-server.ts'
import { type DnsGeneration, type GenerationParts, openGeneration } from './dns-generation.ts'
import { createDnsMetrics, type DnsMetrics } from './dns-metrics.ts'
import { explainListener } from './explain-listener.ts'
import { OpenListeners } from './open-listeners.ts'
import { openResponder } from './open-responder.ts'

/** What a thread answers with. */
export interface ThreadParts
  extends Omit<GenerationParts, 'cacheObserver' | 'forwardObserver' | 'reactor'> {
  /** For the end of what a reload has replaced. */
  readonly clock: Clock
  /** Other threads listen at the same addresses. */
  readonly isShared: boolean
}

/** A replaced Corefile's plugins may still answer queries that came before: its upstreams have this long. */
const graceMs = 6_000

/** A listener in force. */
interface Seated {
  readonly listener: DnsListener
  readonly responder: PacketResponder
}

/** Answers in this thread. */
export class ThreadEngine implements AnswerEngine {
  readonly #parts: ThreadParts
  readonly #metrics: DnsMetrics = createDnsMetrics()
  readonly #ending = new AbortController()
  readonly #reactor: Reactor
  readonly #listeners: OpenListeners
  readonly #failure = Promise.withResolvers<never>()
  #generation: DnsGeneration | undefined
  #seated: readonly Seated[] = []

  constructor(parts: ThreadParts) {
    this.#parts = parts
    this.#reactor = openReactor({}, this.#ending.signal)
    this.#listeners = new OpenListeners(this.#reactor, parts.isShared)
    // Nobody may be waiting yet, or any more.
    this.#failure.promise.catch(() => {})
  }

  get failed(): Promise<never> {
    return this.#failure.promise
  }

  /** The new generation takes the seats before the old one is asked for the last time. */
  async take(corefile: Corefile): Promise<readonly string[]> {
    const { signal } = this.#ending
    const before = this.#generation
    const next = this.#open(corefile)
    try {
      await Promise.race([next.ready, next.failed, aborted(signal)])
      signal.throwIfAborted()
      await this.#seat(next)
    } catch (error) {
      next.close()
      throw error
    }
    if (before !== undefined) void closeLater(before, this.#parts.clock, signal)
    this.#failWith(next)
    return next.listeners.map(({ label }) => label)
  }

  async metrics(): Promise<MetricsJson> {
    return this.#metrics.registry.getMetricsAsJSON()
  }

  async waiting(): Promise<readonly string[]> {
    return (this.#generation?.blocks ?? [])
      .flatMap(({ chain }) => chain.plugins)
      .filter((plugin) => plugin.isReady?.() === false)
      .map(({ name }) => name)
  }

  async explain(query: ExplainQuery): Promise<readonly Explanation[]> {
    const { client, transport, port } = query
    const isAsked = ({ listener }: Seated): boolean => (port ?? listener.port) === listener.port
    const seated = this.#seated.find(isAsked)
    if (seated === undefined) return []
    const { listener, responder } = seated
    const message = queryMessage(query)
    const isRepeated = responder.repeats(
      encodeMessage(message, maxMessageBytes),
      transport === 'tcp',
    )
    const { response, notes } = await explainListener(listener, { message, client, transport })
    const repeated = { plugin: 'memo', text: 'asked before: repeated without asking the plugins' }
    return [
      {
        listener: listener.label,
        notes: isRepeated ? [repeated, ...notes] : notes,
        answer: response && encodeResponse(response),
      },
    ]
  }

  async close(): Promise<void> {
    this.closeAtOnce()
    await this.#listeners.close()
    await this.#reactor.closed
  }

  /** Closes the sockets in this turn: for a thread that has no further one. */
  closeAtOnce(): void {
    this.#ending.abort()
    this.#generation?.close()
  }

  /** In a function of its own: what stands here is held by the generation, and must not hold the one before it,
   *  with its copy of the cluster. */
  #failWith(generation: DnsGeneration): void {
    generation.failed.catch((error: unknown) => {
      if (this.#generation === generation) this.#failure.reject(error)
    })
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

  async #seat(next: DnsGeneration): Promise<void> {
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
    this.#seated = wanted
  }
}

async function closeLater(
  generation: DnsGeneration,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  await delay(clock, graceMs, signal)
  generation.close()
}
