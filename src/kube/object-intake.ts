import { DecodeError } from '../net/decode-error.ts'
import { objectTitle, rawKey } from './decode-meta.ts'
import { createDecodePool, type DecodeOptions, type DecodePool } from './decode-pool.ts'
import { decodeResource } from './decode-resource.ts'
import { type Kind, type Resources, resourceKey } from './resources.ts'
import type { SourceReport } from './source-event.ts'
import type { Sink } from './store.ts'

/** Decodes the objects of one watch into its sink. An object that cannot be decoded is reported
 *  once and its last good version stays; without one it counts as absent. */
export class ObjectIntake<K extends Kind> {
  readonly #kind: K
  readonly #sink: Sink<Resources[K]>
  readonly #report: SourceReport
  readonly #pool: DecodePool
  /** By key: what was wrong with the objects that are refused now. */
  readonly #refused = new Map<string, string>()

  constructor(kind: K, sink: Sink<Resources[K]>, report: SourceReport, options?: DecodeOptions) {
    this.#kind = kind
    this.#sink = sink
    this.#report = report
    this.#pool = createDecodePool(options)
  }

  /** Decodes an object of a list, or gives the good version of it that there is. The key of a
   *  refused object is added to `refusedKeys`. */
  decodeListed(value: unknown, refusedKeys: Set<string>): Resources[K] | undefined {
    const object = this.#decode(value)
    if (object !== undefined) return object
    const key = this.keyOf(value)
    refusedKeys.add(key)
    return this.#sink.get(key)
  }

  /** Puts a complete list into the sink; what it no longer holds is no longer refused either. */
  replace(objects: readonly Resources[K][], refusedKeys: ReadonlySet<string>): void {
    this.#sink.replace(objects)
    for (const key of [...this.#refused.keys()]) {
      if (!refusedKeys.has(key)) this.#refused.delete(key)
    }
  }

  set(value: unknown): void {
    const object = this.#decode(value)
    if (object !== undefined) this.#sink.set(object)
  }

  /** A removal needs no more of the object than its key. */
  delete(value: unknown): void {
    const key = this.keyOf(value)
    this.#refused.delete(key)
    this.#sink.delete(key)
  }

  /** The object's key; a substitute that no object has when it has no usable name. */
  keyOf(value: unknown): string {
    return rawKey(this.#kind, value) ?? objectTitle(this.#kind, value)
  }

  #decode(value: unknown): Resources[K] | undefined {
    try {
      const object = decodeResource(this.#kind, value, this.#pool)
      if (this.#refused.size > 0) this.#accept(resourceKey(object))
      return object
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#refuse(value, error)
      return undefined
    }
  }

  #accept(key: string): void {
    if (!this.#refused.delete(key)) return
    this.#report({ kind: 'object accepted', resource: this.#kind, key })
  }

  #refuse(value: unknown, error: DecodeError): void {
    const key = this.keyOf(value)
    if (this.#refused.get(key) === error.message) return
    this.#refused.set(key, error.message)
    const isKept = this.#sink.get(key) !== undefined
    this.#report({ kind: 'object refused', resource: this.#kind, key, error, isKept })
  }
}
