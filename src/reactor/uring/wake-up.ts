import { systemCalls } from '../descriptors/system-calls.ts'
import { ReactorError } from '../reactor-error.ts'
import type { Ring } from './ring.ts'
import { register } from './set-up-ring.ts'
import { registrations } from './uring-constants.ts'

/** EFD_NONBLOCK | EFD_CLOEXEC, sys/eventfd.h */
const wakeUpFlags = 0o4000 | 0o2000000

/** A descriptor that can be read when a ring has completions, for those who sleep elsewhere: polling the ring's
 *  own does not tell of work that waits for the next enter (IORING_SETUP_DEFER_TASKRUN). It is told of nothing
 *  but while it is armed, so that a busy ring pays nothing for it. */
export class WakeUp {
  readonly descriptor: number
  readonly #ring: Ring
  readonly #count = new Uint8Array(8)
  #isArmed = false

  /** Throws ReactorError. */
  constructor(ring: Ring) {
    const calls = systemCalls()
    this.#ring = ring
    this.descriptor = calls.eventfd(0, wakeUpFlags)
    if (this.descriptor < 0) {
      throw new ReactorError('open io_uring', calls.errno(), 'eventfd was refused')
    }
    ring.notify(false)
    const argument = Int32Array.of(this.descriptor)
    const address = calls.pointerTo(new Uint8Array(argument.buffer))
    register(ring.descriptor, registrations.IORING_REGISTER_EVENTFD, address, 1)
  }

  /** To be told from now on; what is there already is for the caller to look at. */
  arm(): void {
    this.#isArmed = true
    this.#ring.notify(true)
  }

  /** Not to be told any more, and to forget what was told. */
  disarm(): void {
    if (!this.#isArmed) return
    this.#isArmed = false
    this.#ring.notify(false)
    systemCalls().read(this.descriptor, this.#count, this.#count.length)
  }

  /** After the ring was closed. */
  close(): void {
    systemCalls().close(this.descriptor)
  }
}
