import { inspect } from 'node:util'

/** A password, token or key. Printing, inspecting or serialising it never shows it. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself; only for the place that sends it. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return '(hidden)'
  }

  toJSON(): string {
    return '(hidden)'
  }

  [inspect.custom](): string {
    return '(hidden)'
  }
}
