import { systemCalls } from './system-calls.ts'

/** Turns within one event of Node's loop while there is work: each costs Node about as much as a system call,
 *  and its other events wait for no more than these. */
const turnsAtOnce = 4

/** Runs turns: between the other events of Node's loop, or blocking in each. */
export class TurnLoop {
  readonly #turn: (mayWait: boolean) => boolean
  readonly #isBlocking: boolean
  readonly #poll: { close(): void } | undefined
  #isScheduled = false
  #isRunning = false
  #isClosed = false

  /** `turn` tells whether the next one has work already. */
  constructor(pollDescriptor: number, isBlocking: boolean, turn: (mayWait: boolean) => boolean) {
    this.#turn = turn
    this.#isBlocking = isBlocking
    if (isBlocking) this.kick()
    else this.#poll = systemCalls().pollReadable(pollDescriptor, this.#onReadable)
  }

  /** There is work that no event will tell of. */
  kick(): void {
    if (this.#isScheduled || this.#isRunning || this.#isClosed) return
    this.#isScheduled = true
    setImmediate(this.#run)
  }

  /** No turn follows, not even within the event that is running. */
  close(): void {
    this.#isClosed = true
    this.#poll?.close()
  }

  readonly #onReadable = (): void => {
    if (!this.#isScheduled && !this.#isClosed) this.#run()
  }

  readonly #run = (): void => {
    this.#isScheduled = false
    if (this.#isClosed) return
    this.#isRunning = true
    let isBusy = true
    try {
      if (this.#isBlocking) this.#turn(true)
      else {
        for (let turn = 0; isBusy && !this.#isClosed && turn < turnsAtOnce; turn++) {
          isBusy = this.#turn(false)
        }
      }
    } finally {
      this.#isRunning = false
      if (this.#isBlocking || isBusy) this.kick()
    }
  }
}
