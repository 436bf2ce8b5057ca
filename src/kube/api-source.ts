import type { ApiTransport } from './api-transport.ts'
import { type Clock, systemClock } from './clock.ts'
import type { DecodeOptions } from './decode-pool.ts'
import { defaultReflectorLimits, type ReflectorLimits, runReflector } from './reflector.ts'
import type { Kind, Resources } from './resources.ts'
import type { SourceReport } from './source-event.ts'
import type { ClusterSource, Selection, Sink } from './store.ts'

/** What an API source may be given; everything has a default. */
export interface ApiSourceOptions {
  readonly report?: SourceReport
  readonly clock?: Clock
  readonly random?: () => number
  readonly limits?: Partial<ReflectorLimits>
  readonly decodeOptions?: DecodeOptions
}

/** Cluster state from an API server. Its watches share the transport, which the caller closes. */
export class ApiSource implements ClusterSource {
  readonly #transport: ApiTransport
  readonly #options: ApiSourceOptions

  constructor(transport: ApiTransport, options: ApiSourceOptions = {}) {
    this.#transport = transport
    this.#options = options
  }

  watch<K extends Kind>(
    kind: K,
    selection: Selection,
    sink: Sink<Resources[K]>,
    signal: AbortSignal,
  ): Promise<void> {
    const { report, clock, random, limits, decodeOptions } = this.#options
    const inputs = {
      transport: this.#transport,
      kind,
      selection,
      sink,
      report: report ?? (() => {}),
      clock: clock ?? systemClock,
      random: random ?? Math.random,
      limits: { ...defaultReflectorLimits, ...limits },
      ...(decodeOptions === undefined ? {} : { decodeOptions }),
    }
    return runReflector(inputs, signal)
  }
}
