import { type Pointer, systemCalls } from '../descriptors/system-calls.ts'
import { ReactorError } from '../reactor-error.ts'
import { errnos } from '../stream-handler.ts'
import { epollCloseOnExec, epollEventWords, epollOperations } from './epoll-constants.ts'

/** Events that one wait brings at most. */
const eventsAtOnce = 1024

/** What a descriptor in the set is: the second half of its data, beside a number of the owner's. */
export const watched = { stream: 0, listener: 1, datagram: 2 } as const

/** A set of descriptors and the events of the last wait. epoll(7) */
export class EpollSet {
  readonly descriptor: number
  readonly #memory = Buffer.alloc(eventsAtOnce * epollEventWords.size * 4)
  readonly #words: Int32Array
  readonly #address: Pointer
  readonly #one = new Uint8Array(epollEventWords.size * 4)
  readonly #oneWords: Int32Array

  constructor() {
    const calls = systemCalls()
    this.descriptor = calls.epollCreate(epollCloseOnExec)
    if (this.descriptor < 0) {
      throw new ReactorError('open epoll', calls.errno(), 'epoll_create1 was refused')
    }
    this.#words = new Int32Array(this.#memory.buffer, this.#memory.byteOffset)
    this.#address = calls.pointerTo(this.#memory)
    this.#oneWords = new Int32Array(this.#one.buffer)
  }

  /** Adds a descriptor. It is told of as long as it is ready; with EPOLLET only when it becomes so. */
  add(fd: number, events: number, kind: number, value: number): void {
    this.#oneWords[epollEventWords.events] = events
    this.#oneWords[epollEventWords.data] = value
    this.#oneWords[epollEventWords.data + 1] = kind
    const calls = systemCalls()
    const { EPOLL_CTL_ADD } = epollOperations
    if (calls.epollControl(this.descriptor, EPOLL_CTL_ADD, fd, this.#one) === 0) return
    throw new ReactorError(
      'watch a descriptor',
      calls.errno(),
      `epoll_ctl refused descriptor ${fd}`,
    )
  }

  /** Takes a descriptor off the set. */
  remove(fd: number): void {
    systemCalls().epollControl(this.descriptor, epollOperations.EPOLL_CTL_DEL, fd, this.#one)
  }

  /** Waits for events (0: does not, -1: without end), and gives their number. */
  wait(timeoutMs: number): number {
    const calls = systemCalls()
    const count = calls.epollWait(this.descriptor, this.#address, eventsAtOnce, timeoutMs)
    if (count >= 0) return count
    const errno = calls.errno()
    if (errno === errnos.EINTR) return 0
    throw new ReactorError('wait for events', errno, 'epoll_wait was refused')
  }

  events(index: number): number {
    return this.#words[index * epollEventWords.size + epollEventWords.events] ?? 0
  }

  value(index: number): number {
    return this.#words[index * epollEventWords.size + epollEventWords.data] ?? 0
  }

  kind(index: number): number {
    return this.#words[index * epollEventWords.size + epollEventWords.data + 1] ?? 0
  }

  close(): void {
    systemCalls().close(this.descriptor)
  }
}
