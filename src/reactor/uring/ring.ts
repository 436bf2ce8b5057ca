import { type Pointer, systemCalls, writePointer } from '../descriptors/system-calls.ts'
import { ReactorError } from '../reactor-error.ts'
import { errnos } from '../stream-handler.ts'
import { type MappedMemory, mapDescriptor } from './mapped-memory.ts'
import { setUpRing } from './set-up-ring.ts'
import {
  completionWords,
  parameterWords,
  ringFlags,
  submissionWords,
  systemCallNumbers,
} from './uring-constants.ts'

/** Operations that one enter submits at most; before a further one is prepared, they are submitted. */
export const submissionCount = 1024

/** Completions that fit. What is beyond waits in the kernel (IORING_FEAT_NODROP). */
const completionCount = 8192

/** ETIME: nothing came in time; EBUSY: completions must be taken first. asm-generic/errno.h */
const timeExpired = 62
const busy = 16

/** Takes a completion: the two numbers that were given with the operation, its result (or the negative errno), its
 *  flags. */
export type CompletionVisitor = (kind: number, value: number, result: number, flags: number) => void

/** A pair of rings: operations go in, completions come out, by one system call for all of them. The kernel looks
 *  at the rings and writes to them only within `enter` and `submit`, thus plain loads and stores suffice. For the
 *  thread that opened it. io_uring(7) */
export class Ring {
  readonly descriptor: number
  /** The operations that are being prepared, as words of 4 bytes. */
  readonly words: Int32Array
  readonly #rings: Int32Array
  readonly #places: RingPlaces
  readonly #mapped: MappedMemory[] = []
  readonly #wait = new WaitArgument()
  /** Counts operations; the lower bits are the place in the ring. */
  #tail = 0
  #pending = 0

  /** Throws ReactorError when this kernel does not allow io_uring or lacks a part of it. */
  constructor() {
    const parameters = new Int32Array(parameterWords.size)
    this.descriptor = setUpRing(parameters, submissionCount, completionCount)
    this.#places = ringPlaces(parameters)
    try {
      const rings = mapDescriptor(this.descriptor, 0, this.#places.byteCount)
      this.#mapped.push(rings)
      const entryBytes = submissionCount * submissionWords.size * 4
      const entries = mapDescriptor(this.descriptor, ringFlags.IORING_OFF_SQES, entryBytes)
      this.#mapped.push(entries)
      this.#rings = rings.words
      this.words = entries.words
    } catch (error) {
      this.close()
      throw error
    }
    // The kernel takes entries in the order of this list: that of their places.
    const { array } = this.#places
    for (let index = 0; index < submissionCount; index++) this.#rings[array + index] = index
  }

  /** Operations that are prepared and not submitted. */
  get pendingCount(): number {
    return this.#pending
  }

  /** Whether an enter would bring completions. */
  get hasCompletions(): boolean {
    const { completionHead, completionTail, flags } = this.#places
    const rings = this.#rings
    const waiting = ringFlags.IORING_SQ_TASKRUN | ringFlags.IORING_SQ_CQ_OVERFLOW
    return rings[completionHead] !== rings[completionTail] || ((rings[flags] ?? 0) & waiting) !== 0
  }

  /** Whether the descriptor of `IORING_REGISTER_EVENTFD` is told of completions. After switching it on, look at
   *  `hasCompletions`: what came before tells nobody. */
  notify(isWanted: boolean): void {
    const value = isWanted ? 0 : ringFlags.IORING_CQ_EVENTFD_DISABLED
    // The kernel must see it before `hasCompletions` is read.
    Atomics.store(this.#rings, this.#places.completionFlags, value)
  }

  /** Prepares an operation, with zeros in all other fields: returns where its words start. `kind` and `value` come
   *  back with its completions. */
  prepare(operation: number, entryFlags: number, fd: number, kind: number, value: number): number {
    if (this.#pending === submissionCount) this.submit()
    const words = this.words
    const at = (this.#tail & (submissionCount - 1)) * submissionWords.size
    words.fill(0, at, at + submissionWords.size)
    words[at + submissionWords.header] = operation | (entryFlags << 8)
    words[at + submissionWords.fd] = fd
    words[at + submissionWords.userData] = value
    words[at + submissionWords.userData + 1] = kind
    this.#tail = (this.#tail + 1) | 0
    this.#pending++
    return at
  }

  /** Submits what is prepared, and lets the kernel finish what is ready. Waits for a completion for `waitMs` (0:
   *  does not, -1: without end). */
  enter(waitMs: number): void {
    const { IORING_ENTER_GETEVENTS, IORING_ENTER_EXT_ARG } = ringFlags
    if (waitMs === 0) this.#enter(0, IORING_ENTER_GETEVENTS, 0, 0)
    else if (waitMs < 0) this.#enter(1, IORING_ENTER_GETEVENTS, 0, 0)
    else {
      const address = this.#wait.set(waitMs)
      this.#enter(1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, address, this.#wait.byteCount)
    }
  }

  /** Submits what is prepared. */
  submit(): void {
    this.#enter(0, 0, 0, 0)
  }

  /** Takes the completions that are here: their number. What the visitor prepares is not submitted yet. */
  take(visit: CompletionVisitor): number {
    const rings = this.#rings
    const { completionHead, completionTail, completionMask, completions } = this.#places
    const { size, userData, result, flags } = completionWords
    const tail = rings[completionTail] ?? 0
    const first = rings[completionHead] ?? 0
    for (let head = first; head !== tail; head = (head + 1) | 0) {
      const at = completions + (head & completionMask) * size
      visit(
        rings[at + userData + 1] ?? 0,
        rings[at + userData] ?? 0,
        rings[at + result] ?? 0,
        rings[at + flags] ?? 0,
      )
    }
    rings[completionHead] = tail
    return (tail - first) | 0
  }

  /** The kernel cancels what is left. */
  close(): void {
    for (const memory of this.#mapped) memory.unmap()
    systemCalls().close(this.descriptor)
  }

  #enter(waitCount: number, flags: number, argument: Pointer, argumentBytes: number): void {
    const calls = systemCalls()
    this.#rings[this.#places.submissionTail] = this.#tail
    const { io_uring_enter } = systemCallNumbers
    const submitted = calls.syscall(
      io_uring_enter,
      this.descriptor,
      this.#pending,
      waitCount,
      flags,
      argument,
      argumentBytes,
    )
    if (submitted >= 0) {
      this.#pending -= submitted
      return
    }
    const errno = calls.errno()
    // The kernel counts what it took before it waited; what it did not take is taken the next time.
    const head = this.#rings[this.#places.submissionHead] ?? 0
    this.#pending = (this.#tail - head) | 0
    if (errno === timeExpired || errno === errnos.EINTR) return
    if (errno === busy || errno === errnos.EAGAIN) return
    throw new ReactorError('enter io_uring', errno, 'io_uring_enter was refused')
  }
}

/** Where things lie in the memory of both rings, in words of 4 bytes. */
interface RingPlaces {
  readonly byteCount: number
  readonly submissionHead: number
  readonly submissionTail: number
  readonly flags: number
  readonly array: number
  readonly completionHead: number
  readonly completionTail: number
  readonly completionMask: number
  readonly completionFlags: number
  readonly completions: number
}

function ringPlaces(parameters: Int32Array): RingPlaces {
  const { submission, completion } = parameterWords
  const at = (word: number): number => (parameters[word] ?? 0) / 4
  const array = at(submission.array)
  const completions = at(completion.completions)
  const count = parameters[parameterWords.completionEntries] ?? 0
  return {
    byteCount: 4 * Math.max(array + submissionCount, completions + count * completionWords.size),
    submissionHead: at(submission.head),
    submissionTail: at(submission.tail),
    flags: at(submission.flags),
    array,
    completionHead: at(completion.head),
    completionTail: at(completion.tail),
    completionMask: count - 1,
    completionFlags: at(completion.flags),
    completions,
  }
}

/** struct io_uring_getevents_arg: [sigmask:8][sigmask_sz:4][pad:4][ts:8], here with the struct __kernel_timespec
 *  behind it that ts points to: [sec:8][nsec:8]. */
class WaitArgument {
  readonly byteCount = 24
  readonly #bytes = Buffer.alloc(40)
  readonly #words: Int32Array
  readonly #address: Pointer

  constructor() {
    this.#words = new Int32Array(this.#bytes.buffer, this.#bytes.byteOffset, 10)
    this.#address = systemCalls().pointerTo(this.#bytes)
    writePointer(this.#words, 4, this.#address + this.byteCount)
  }

  set(waitMs: number): Pointer {
    this.#words[6] = Math.floor(waitMs / 1000)
    this.#words[8] = Math.round((waitMs % 1000) * 1e6)
    return this.#address
  }
}
