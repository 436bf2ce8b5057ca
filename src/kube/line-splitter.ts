/** Cuts a stream of chunks into lines of UTF-8 text. Only the unfinished line is kept, and its
 *  length is bounded: the rest of the memory belongs to whoever takes the lines. */
export class LineSplitter {
  readonly #maxLineBytes: number
  #rest: Uint8Array[] = []
  #restBytes = 0

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes
  }

  /** The lines that this chunk finishes, without empty ones. Throws a RangeError when a line is
   *  longer than allowed. */
  push(chunk: Uint8Array): string[] {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const lines: string[] = []
    let start = 0
    for (let end = buffer.indexOf(newline); end >= 0; end = buffer.indexOf(newline, start)) {
      this.#checkLength(end - start)
      const line = this.#finish(buffer, start, end)
      if (line.length > 0) lines.push(line)
      start = end + 1
    }
    const restBytes = buffer.length - start
    this.#checkLength(restBytes)
    if (restBytes > 0) {
      this.#rest.push(start === 0 ? buffer : Buffer.from(buffer.subarray(start)))
      this.#restBytes += restBytes
    }
    return lines
  }

  /** What came after the last line end; empty when the stream ended properly. */
  end(): string {
    return this.#finish(Buffer.alloc(0), 0, 0)
  }

  #finish(buffer: Buffer, start: number, end: number): string {
    if (this.#restBytes === 0) return buffer.toString('utf8', start, end)
    const line = Buffer.concat([...this.#rest, buffer.subarray(start, end)]).toString('utf8')
    this.#rest = []
    this.#restBytes = 0
    return line
  }

  #checkLength(addedBytes: number): void {
    if (this.#restBytes + addedBytes <= this.#maxLineBytes) return
    throw new RangeError(`a line of more than ${this.#maxLineBytes} bytes`)
  }
}

const newline = 0x0a
