import type { ConnectionId } from '../../../src/reactor/connection-id.ts'
import type { StreamHandler } from '../../../src/reactor/stream-handler.ts'

/** A handler that writes down what happens, and lets a test wait for it. */
export class Recorder implements StreamHandler {
  /** `open`, `data hello`, `end`, `drain`, `timeout`, `close 0`. */
  readonly events: string[] = []
  readonly chunks: Buffer[] = []
  /** The connection that was opened last. */
  connection: ConnectionId = -1
  byteCount = 0
  readonly #reaction: Partial<StreamHandler>
  #waiting: { readonly isDone: () => boolean; readonly resolve: () => void }[] = []

  constructor(reaction: Partial<StreamHandler> = {}) {
    this.#reaction = reaction
  }

  onOpen(connection: ConnectionId): void {
    this.connection = connection
    this.#note('open')
    this.#reaction.onOpen?.(connection)
  }

  onData(connection: ConnectionId, bytes: Buffer, offset: number, length: number): void {
    this.chunks.push(Buffer.from(bytes.subarray(offset, offset + length)))
    this.byteCount += length
    this.#note(`data ${bytes.toString('latin1', offset, offset + Math.min(length, 20))}`)
    this.#reaction.onData?.(connection, bytes, offset, length)
  }

  onEnd(connection: ConnectionId): void {
    this.#note('end')
    this.#reaction.onEnd?.(connection)
  }

  onDrain(connection: ConnectionId): void {
    this.#note('drain')
    this.#reaction.onDrain?.(connection)
  }

  onTimeout(connection: ConnectionId): void {
    this.#note('timeout')
    this.#reaction.onTimeout?.(connection)
  }

  onClose(connection: ConnectionId, errno: number): void {
    this.#note(`close ${errno}`)
    this.#reaction.onClose?.(connection, errno)
  }

  /** All bytes in the order in which they came. */
  get bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }

  /** Resolves with the first event that starts so. */
  async event(start: string): Promise<string> {
    await this.until(() => this.events.some((event) => event.startsWith(start)))
    return this.events.find((event) => event.startsWith(start)) ?? ''
  }

  /** Resolves when `isDone`, which is asked at each event. */
  until(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push({ isDone, resolve })
    return promise
  }

  #note(event: string): void {
    this.events.push(event)
    this.#waiting = this.#waiting.filter(({ isDone, resolve }) => {
      if (!isDone()) return true
      resolve()
      return false
    })
  }
}
