import type { ObjectIntake } from './object-intake.ts'
import { type Kind, type Resources, resourceKey } from './resources.ts'
import { decodeStatus, StatusError } from './status-error.ts'
import { decodeWatchEvent, type WatchEvent } from './watch-event.ts'

/** The state of one watch connection: applies its lines to the sink. */
export class WatchStream<K extends Kind> {
  readonly #intake: ObjectIntake<K>
  readonly #collector: ListCollector<K>
  #isInitial: boolean

  constructor(intake: ObjectIntake<K>, isInitial: boolean) {
    this.#intake = intake
    this.#collector = new ListCollector(intake)
    this.#isInitial = isInitial
  }

  /** The initial events of a streaming list are not complete yet. */
  get isInitial(): boolean {
    return this.#isInitial
  }

  /** Applies a line; gives the version from which a watch can go on after it, if there is one.
   *  Throws a StatusError for an error event and a DecodeError for what is no event. */
  take(line: string): string | undefined {
    const event = decodeWatchEvent(line)
    if (event === undefined) return undefined
    if (event.type === 'ERROR') {
      throw new StatusError('watch', decodeStatus(event.status, 500, undefined))
    }
    if (this.#isInitial) return this.#takeInitial(event)
    if (event.type === 'DELETED') this.#intake.delete(event.object)
    else if (event.type !== 'BOOKMARK') this.#intake.set(event.object)
    return event.version
  }

  /** Changes that happen meanwhile may come between the initial events. */
  #takeInitial(event: Exclude<WatchEvent, { type: 'ERROR' }>): string | undefined {
    if (event.type === 'DELETED') this.#collector.drop(event.object)
    else if (event.type !== 'BOOKMARK') this.#collector.take(event.object)
    else if (event.isInitialEnd) {
      this.#collector.finish()
      this.#isInitial = false
      return event.version
    }
    return undefined
  }
}

/** Gathers a list; the sink sees it only when it is complete. */
export class ListCollector<K extends Kind> {
  readonly #intake: ObjectIntake<K>
  #objects = new Map<string, Resources[K]>()
  #refusedKeys = new Set<string>()

  constructor(intake: ObjectIntake<K>) {
    this.#intake = intake
  }

  take(value: unknown): void {
    const object = this.#intake.decodeListed(value, this.#refusedKeys)
    if (object !== undefined) this.#objects.set(resourceKey(object), object)
  }

  drop(value: unknown): void {
    const key = this.#intake.keyOf(value)
    this.#objects.delete(key)
    this.#refusedKeys.delete(key)
  }

  restart(): void {
    this.#objects = new Map()
    this.#refusedKeys = new Set()
  }

  finish(): void {
    this.#intake.replace([...this.#objects.values()], this.#refusedKeys)
    this.restart()
  }
}
