import type { EndpointPort, EndpointState } from './resources.ts'

/** Values that many objects share (names, port lists, states of endpoints): decoders keep one of each, so
 *  that 100,000 endpoints cost little more than their addresses. One pool belongs to one source. */
export interface DecodePool extends DecodeOptions {
  readonly texts: InternTable<string>
  readonly portLists: InternTable<readonly EndpointPort[]>
  readonly endpointStates: InternTable<EndpointState>
}

/** What decoders keep beyond what every consumer needs. */
export interface DecodeOptions {
  /** The names of the pods behind endpoints. */
  readonly keepsPodNames?: boolean
}

/** An empty pool. */
export function createDecodePool(options: DecodeOptions = {}): DecodePool {
  return {
    ...options,
    texts: new InternTable(),
    portLists: new InternTable(),
    endpointStates: new InternTable(),
  }
}

/** More distinct values than any cluster has nodes; a server that sends more only loses sharing. */
const maxEntries = 65_536

/** Gives back the first value that came with a key. Forgets everything when it is full. */
export class InternTable<T> {
  readonly #values = new Map<string, T>()

  intern(key: string, value: T): T {
    const known = this.#values.get(key)
    if (known !== undefined) return known
    if (this.#values.size >= maxEntries) this.#values.clear()
    this.#values.set(key, value)
    return value
  }
}
