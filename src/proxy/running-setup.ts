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
  /** Says that the next one is complete and the others are gone: it is in force. */
  accept(): void
  /** Says that the kernel refused the next one: the present one stays. Undefined when there is none to go
   *  back to. */
  readonly refuse: ((error: Error) => void) | undefined
}

/** The setup in force, and the one that shall follow it. Owns their mechanisms: `close` ends them. */
export class RunningSetup {
  #present: ProxySetup
  #change: SetupChange | undefined
  /** Settled when no change is under way. */
  #idle: Promise<void> = Promise.resolve()
  #asked: () => void = () => {}

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
  }

  #begin(next: ProxySetup, leaving: readonly Mechanism[], canRefuse: boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
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
      accept: () => {
        this.#present = next
        end(leaving)
        resolve()
      },
      refuse: canRefuse ? refuse : undefined,
    }
    this.#idle = promise.catch(() => {})
    this.#asked()
    return promise
  }
}
