import { type BufferPool, bufferBytes } from '../descriptors/buffer-pool.ts'
import { systemCalls, writePointer } from '../descriptors/system-calls.ts'
import { type MappedMemory, mapPages } from './mapped-memory.ts'
import { register } from './set-up-ring.ts'
import { registrations } from './uring-constants.ts'

/** The number of the only group of buffers. */
export const bufferGroup = 0

/** The ring of a group has at most so many entries; linux/io_uring.h counts them in 16 bits. */
const mostBuffers = 32_768

/** struct io_uring_buf: [addr:8][len:4][bid:2][resv:2]; the tail of the ring lies in the reserved bytes of the
 *  first one. */
const entryBytes = 16
const entryWords = entryBytes / 4
const tailHalfWord = 7

/** Free receive buffers, as the kernel takes them: it picks one for each receive, only when there are bytes. */
export class ReceiveBuffers {
  readonly #pool: BufferPool
  readonly #memory: MappedMemory
  readonly #halfWords: Uint16Array
  readonly #mask: number
  #tail = 0

  /** Throws ReactorError. */
  constructor(ring: number, pool: BufferPool) {
    const count = 2 ** Math.floor(Math.log2(Math.min(pool.receiveCount, mostBuffers)))
    this.#pool = pool
    this.#memory = mapPages(count * entryBytes)
    this.#halfWords = new Uint16Array(this.#memory.words.buffer)
    this.#mask = count - 1
    // struct io_uring_buf_reg: [ring_addr:8][ring_entries:4][bgid:2][flags:2][resv:24]
    const registration = new Int32Array(10)
    writePointer(registration, 0, this.#memory.address)
    registration[2] = count
    registration[3] = bufferGroup
    const address = systemCalls().pointerTo(new Uint8Array(registration.buffer))
    register(ring, registrations.IORING_REGISTER_PBUF_RING, address, 1)
    for (let buffer = 0; buffer < count; buffer++) this.give(buffer)
  }

  /** Gives a free buffer to the kernel. */
  give(buffer: number): void {
    const at = (this.#tail & this.#mask) * entryWords
    const { words } = this.#memory
    writePointer(words, at, this.#pool.addressOf(buffer))
    words[at + 2] = bufferBytes
    this.#halfWords[(at + 3) * 2] = buffer
    this.#tail = (this.#tail + 1) & 0xffff
    this.#halfWords[tailHalfWord] = this.#tail
  }

  /** After the ring was closed. */
  close(): void {
    this.#memory.unmap()
  }
}
