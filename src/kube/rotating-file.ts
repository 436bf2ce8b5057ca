import { readFile } from 'node:fs/promises'
import type { Clock } from './clock.ts'
import { ClusterAccessError } from './cluster-access.ts'

/** How long a content is trusted: the kubelet replaces a token minutes before it ends. */
const freshMs = 10_000

/** A small file that somebody else replaces from time to time (token, certificate). */
export class RotatingFile {
  readonly #path: string
  readonly #clock: Clock
  #content: string | undefined
  #readAt = Number.NEGATIVE_INFINITY

  constructor(path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
  }

  /** The content, at most 10 s old. While the file cannot be read its last content stays; rejects
   *  with a ClusterAccessError when there never was one. */
  async read(): Promise<string> {
    const now = this.#clock.now()
    if (this.#content !== undefined && now - this.#readAt < freshMs) return this.#content
    try {
      this.#content = await readFile(this.#path, 'utf8')
      this.#readAt = now
      return this.#content
    } catch (error) {
      if (this.#content !== undefined) return this.#content
      const { code } = error as NodeJS.ErrnoException
      throw new ClusterAccessError(`${this.#path}: cannot be read (${code}); make it readable`)
    }
  }

  /** The next `read` looks at the file in any case. */
  expire(): void {
    this.#readAt = Number.NEGATIVE_INFINITY
  }
}
