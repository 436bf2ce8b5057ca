import type { Backend, Pool } from '../plan/plan.ts'
import { formatBackend } from '../port/verdict.ts'
import { AffinityTable } from './affinity-table.ts'

/** What picking depends on. */
export interface PickerOptions {
  /** At least 0, below 1. */
  readonly random: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** Gives new flows their endpoint: at random, or the one that the client has had. */
export class EndpointPicker {
  readonly affinity = new AffinityTable()
  readonly #options: PickerOptions

  constructor(options: PickerOptions) {
    this.#options = options
  }

  /** An endpoint that is not among `tried`; when all of the pool have been tried, any. */
  pick(pool: Pool, client: string, tried: readonly Backend[] = []): Backend {
    const timeoutMs = pool.affinitySeconds * 1000
    if (timeoutMs === 0) return this.#draw(pool, tried)
    const now = this.#options.now()
    const known = this.affinity.recall(pool.key, client, now, timeoutMs)
    const recalled = pool.backends.find(
      (backend) => endpointOf(backend) === known && !isTried(backend, tried),
    )
    const backend = recalled ?? this.#draw(pool, tried)
    this.affinity.remember(pool.key, client, endpointOf(backend), now, timeoutMs)
    return backend
  }

  #draw({ backends }: Pool, tried: readonly Backend[]): Backend {
    const untried =
      tried.length === 0 ? backends : backends.filter((backend) => !isTried(backend, tried))
    const candidates = untried.length === 0 ? backends : untried
    const index = Math.floor(this.#options.random() * candidates.length)
    return candidates[index] ?? backends[0]
  }
}

function endpointOf({ address, port }: Backend): string {
  return formatBackend(address, port)
}

/** Plans are made anew on every change: equal endpoints are not the same object. */
function isTried({ address, port }: Backend, tried: readonly Backend[]): boolean {
  return tried.some((other) => other.address === address && other.port === port)
}
