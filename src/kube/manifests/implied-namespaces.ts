import type { Namespace, ResourceMeta } from '../resources.ts'
import type { Sink } from '../store.ts'

/** The namespaces of a folder: those with a manifest of their own, and those that any object lies in,
 *  which nobody writes a manifest for (`default` above all). */
export class ImpliedNamespaces {
  readonly #sink: Pick<Sink<Namespace>, 'get' | 'set' | 'delete'>
  readonly #written = new Map<string, Namespace>()
  /** Objects that lie in a namespace. */
  readonly #objectCounts = new Map<string, number>()

  constructor(sink: Pick<Sink<Namespace>, 'get' | 'set' | 'delete'>) {
    this.#sink = sink
  }

  /** A manifest of the namespace itself came, changed or went. */
  write(name: string, namespace: Namespace | undefined): void {
    if (namespace === undefined) this.#written.delete(name)
    else this.#written.set(name, namespace)
    this.#update(name)
  }

  /** An object came, changed or went. */
  count(before: ResourceMeta | undefined, after: ResourceMeta | undefined): void {
    const [left, entered] = [before?.namespace, after?.namespace]
    if (left === entered) return
    if (entered !== undefined) this.#add(entered, 1)
    if (left !== undefined) this.#add(left, -1)
  }

  #add(name: string, change: number): void {
    if (name === '') return
    const count = (this.#objectCounts.get(name) ?? 0) + change
    if (count === 0) this.#objectCounts.delete(name)
    else this.#objectCounts.set(name, count)
    this.#update(name)
  }

  #update(name: string): void {
    const namespace = this.#written.get(name) ?? this.#implied(name)
    if (namespace === undefined) this.#sink.delete(name)
    else if (this.#sink.get(name)?.resourceVersion !== namespace.resourceVersion) {
      this.#sink.set(namespace)
    }
  }

  #implied(name: string): Namespace | undefined {
    if (!this.#objectCounts.has(name)) return undefined
    const labels = { 'kubernetes.io/metadata.name': name }
    const resourceVersion = 'implied'
    return { kind: 'Namespace', namespace: '', name, labels, annotations: {}, resourceVersion }
  }
}
