import { Random } from '../random.ts'

/** Bytes of chance that all streams are parts of, over and over. */
const period = 1 << 18
/** At most so many bytes are looked at or written at once. */
export const longestPart = 1 << 16

const pattern = Buffer.alloc(period + longestPart)
const random = new Random(7)
for (let index = 0; index < period; index++) pattern[index] = random.below(256)
pattern.copy(pattern, period, 0, longestPart)

/** [start in the pattern:4][bytes that follow:4], in front of each stream: who receives it knows what comes. */
const headBytes = 8

/** A stream that shows when a byte of it is missing, doubled or at another place. */
export class StormStream {
  readonly head: Buffer
  readonly length: number
  readonly #start: number

  constructor(start: number, length: number) {
    this.#start = start
    this.length = length
    this.head = Buffer.alloc(headBytes)
    this.head.writeUInt32BE(start, 0)
    this.head.writeUInt32BE(length, 4)
  }

  /** One of this length, anywhere in the pattern. */
  static draw(source: Random, length: number): StormStream {
    return new StormStream(source.below(period), length)
  }

  /** Bytes behind the head; `size` is at most `longestPart`. */
  part(offset: number, size: number): Buffer {
    const at = (this.#start + offset) % period
    return pattern.subarray(at, at + size)
  }
}

/** Compares what comes with what must come. */
export class StormCheck {
  readonly #head = Buffer.alloc(headBytes)
  #headLength = 0
  #stream: StormStream | undefined
  #received = 0

  /** Takes bytes; gives what is wrong with them. */
  add(bytes: Buffer): string | undefined {
    const taken = bytes.copy(this.#head, this.#headLength)
    this.#headLength += taken
    if (this.#headLength < headBytes) return undefined
    this.#stream ??= new StormStream(this.#head.readUInt32BE(0), this.#head.readUInt32BE(4))
    for (let from = taken; from < bytes.length; from += longestPart) {
      const part = bytes.subarray(from, from + longestPart)
      if (!part.equals(this.#stream.part(this.#received, part.length))) {
        return `wrong bytes from ${this.#received} on`
      }
      this.#received += part.length
    }
    return this.#received > this.#stream.length ? 'more bytes than were sent' : undefined
  }

  /** What is missing when the sender has ended in order. */
  end(): string | undefined {
    if (this.#stream === undefined) return `ended with ${this.#headLength} bytes of the head`
    const { length } = this.#stream
    return this.#received === length ? undefined : `ended with ${this.#received} of ${length} bytes`
  }
}
