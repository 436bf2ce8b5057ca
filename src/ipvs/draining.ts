import type { IpvsConnection, IpvsOperation } from './ipvs-connection.ts'
import type { PresentServer } from './server-difference.ts'
import { formatDestination } from './virtual-server.ts'

/** Time and timers; tests give their own. */
export interface DrainClock {
  /** Milliseconds. */
  now(): number
  /** Calls back once after a time; the returned function takes that back. */
  schedule(callback: () => void, delayMs: number): () => void
}

/** Between two looks at the connections of endpoints that leave. A look costs one list per virtual server. */
const lookEveryMs = 2_000

/** The original waits without end; a connection that nobody uses any more would keep its endpoint for the
 *  15 minutes that IPVS itself remembers idle connections. */
export const longestDrainMs = 900_000

/** Watches destinations of weight 0 until their last connection has ended. */
export class Draining {
  readonly #connection: IpvsConnection
  readonly #clock: DrainClock
  readonly #onLook: () => void
  /** Name of the virtual server to names of its draining destinations and when they began to, milliseconds. */
  readonly #since = new Map<string, Map<string, number>>()
  #cancel: (() => void) | undefined

  /** `onLook` is called when it is time to look. */
  constructor(connection: IpvsConnection, clock: DrainClock, onLook: () => void) {
    this.#connection = connection
    this.#clock = clock
    this.#onLook = onLook
  }

  /** Names of virtual servers with draining destinations. */
  servers(): readonly string[] {
    return [...this.#since.keys()]
  }

  /** Takes note of what the kernel has of a virtual server after a change. */
  note(name: string, present: PresentServer | undefined): void {
    const before = this.#since.get(name)
    const after = new Map<string, number>()
    for (const [destination, { weight }] of present?.destinations ?? []) {
      if (weight === 0) after.set(destination, before?.get(destination) ?? this.#clock.now())
    }
    if (after.size === 0) this.#since.delete(name)
    else this.#since.set(name, after)
    this.#arm()
  }

  /** Removals of destinations that have no connection any more or have had time enough. */
  finished(name: string, present: PresentServer): readonly IpvsOperation[] {
    const since = this.#since.get(name)
    if (since === undefined) return []
    const { key } = present.server
    const listed = this.#connection.listDestinations(key)
    return listed.flatMap((destination): IpvsOperation[] => {
      const began = since.get(formatDestination(destination))
      if (began === undefined || destination.weight !== 0) return []
      const isIdle = destination.activeConnections + destination.inactiveConnections === 0
      if (!isIdle && this.#clock.now() - began < longestDrainMs) return []
      return [{ kind: 'delete-destination', key, destination }]
    })
  }

  close(): void {
    this.#since.clear()
    this.#cancel?.()
    this.#cancel = undefined
  }

  #arm(): void {
    if (this.#since.size === 0) {
      this.#cancel?.()
      this.#cancel = undefined
      return
    }
    this.#cancel ??= this.#clock.schedule(() => {
      this.#cancel = undefined
      this.#onLook()
      this.#arm()
    }, lookEveryMs)
  }
}
