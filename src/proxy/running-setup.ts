import type { ProxyOptions } from './config/proxy-options.ts'
import type { Mechanism } from './port/mechanism.ts'

/** What can change while a proxy runs. */
export interface ProxySetup {
  readonly options: ProxyOptions
  readonly mechanism: Mechanism
}

/** A setup on its way into the kernel. */
export interface SetupChange {
  readonly next: ProxySetup
  /** Mechanisms whose rules go once the next one is complete. */
  readonly leaving: readonly Mechanism[]
  /** Says that the next one is complete, so that it is in force. Those that leave are gone, but for the ones
   *  that drain: each is given to `retire`, and closed when that has ended. */
  accept(retire: Retire): void
  /** Says that the kernel refused the next one: the present one stays. Undefined when there is none to go
   *  back to. */
  readonly refuse: ((error: Error) => void) | undefined
}

/** Drains a mechanism and removes what it wrote; with the signal it ends and leaves it. */
export type Retire = (mechanism: Mechanism, signal: AbortSignal) => Promise<void>

/** The setup in force, and the one that shall follow it. Owns their mechanisms: `close` ends them. */
export class RunningSetup {
  #present: ProxySetup
  #change: SetupChange | undefined
  /** Settled when no change is under way. */
  #idle: Promise<void> = Promise.resolve()
  #asked: () => void = () => {}
  /** What ends the draining of a mechanism, by its name. */
  readonly #draining = new Map<string, AbortController>()

  /** `leftovers` are mechanisms of other modes whose rules are in the kernel at the start. */
  constructor(first: ProxySetup, leftovers: readonly Mechanism[]) {
    this.#present = first
    if (leftovers.length > 0) void this.#begin(first, leftovers, false)
  }

  /** The setup in force. */
  get present(): ProxySetup {
    return this.#present
  }

  /** The change that is under way. */
  get change(): SetupChange | undefined {
    return this.#change
  }

  /** Puts another setup in force, after a change that is under way. Resolves when it is complete and what
   *  it replaces is gone; rejects when the kernel refuses it: then the present one stays. */
  async replace(next: ProxySetup): Promise<void> {
    await this.#idle
    const { mechanism } = this.#present
    await this.#begin(next, mechanism === next.mechanism ? [] : [mechanism], true)
  }

  /** Calls back when another setup is wanted; the last listener counts. */
  follow(asked: () => void): void {
    this.#asked = asked
  }

  /** Closes every mechanism that is still open. */
  close(): void {
    const { next, leaving = [] } = this.#change ?? {}
    const mechanisms = [this.#present.mechanism, ...leaving, ...(next ? [next.mechanism] : [])]
    for (const mechanism of new Set(mechanisms)) mechanism.close()
    for (const draining of this.#draining.values()) draining.abort()
  }

  #begin(next: ProxySetup, leaving: readonly Mechanism[], canRefuse: boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // Back to a mode that still drains: what is there is its own again.
    this.#draining.get(next.mechanism.name)?.abort()
    const end = (unused: readonly Mechanism[]): void => {
      this.#change = undefined
      for (const mechanism of unused) mechanism.close()
    }
    const refuse = (error: Error): void => {
      end(leaving.length === 0 ? [] : [next.mechanism])
      reject(error)
    }
    this.#change = {
      next,
      leaving,
      accept: (retire) => {
        this.#present = next
        end(leaving.filter((mechanism) => mechanism.drain === undefined))
        for (const mechanism of leaving) {
          if (mechanism.drain !== undefined) this.#retire(mechanism, retire)
        }
        resolve()
      },
      refuse: canRefuse ? refuse : undefined,
    }
    this.#idle = promise.catch(() => {})
    this.#asked()
    return promise
  }

  #retire(mechanism: Mechanism, retire: Retire): void {
    const { name } = mechanism
    const draining = new AbortController()
    this.#draining.set(name, draining)
    void retire(mechanism, draining.signal).finally(() => {
      if (this.#draining.get(name) === draining) this.#draining.delete(name)
      mechanism.close()
    })
  }
}
