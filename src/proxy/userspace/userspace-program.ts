import type { Family } from '../../net/address.ts'
import type { SetElement } from '../../netlink/nftables/objects.ts'
import { CountedMap } from '../../ruleset/counted-map.ts'
import { addressKey, frontendKey } from '../../ruleset/element-keys.ts'
import { type ElementSink, isSameElement, type SetElements } from '../../ruleset/element-sink.ts'
import type { NodePlan, ServicePlan } from '../plan/plan.ts'
import { compileService, type ElementVisitor } from './compile-service.ts'
import { type RelayPorts, relayedProtocols } from './relay-ports.ts'

interface FamilyElement {
  readonly family: Family
  readonly set: string
  readonly element: SetElement
}

/** Hands the changed elements of a family's table to a sink, removals first. Undefined: nothing changed. */
export type ChangedElements = ((family: Family, sink: ElementSink) => void) | undefined

/** The elements of all services. What services share is there once. */
export class UserspaceProgram {
  readonly #elements = new CountedMap<FamilyElement>((left, right) =>
    isSameElement(left.element, right.element),
  )

  /** Compiles changed services; `before` is what was compiled last for the service. */
  update(
    changes: Iterable<{
      readonly before: ServicePlan | undefined
      readonly after: ServicePlan | undefined
    }>,
  ): ChangedElements {
    for (const { before, after } of changes) {
      if (before !== undefined) compileService(before, this.#remove)
      if (after !== undefined) compileService(after, this.#add)
    }
    const found = this.#elements.takeChanges()
    if (found.length === 0) return undefined
    return (family, sink) => {
      for (const { before } of found) {
        if (before?.family === family) sink.remove(before.set, before.element)
      }
      for (const { after } of found) {
        if (after?.family === family) sink.add(after.set, after.element)
      }
    }
  }

  /** All elements of the table of a family, those that depend on the node with them. */
  elements(family: Family, node: NodePlan, relays: RelayPorts | undefined): SetElements {
    const sets = new Map<string, Map<string, SetElement>>()
    const put = (set: string, element: SetElement): void => {
      const elements = sets.get(set) ?? new Map<string, SetElement>()
      sets.set(set, elements)
      elements.set(element.key, element)
    }
    for (const [, entry] of this.#elements.entries()) {
      if (entry.family === family) put(entry.set, entry.element)
    }
    const { nodePortAddresses } = node
    for (const address of nodePortAddresses === 'any-local' ? [] : nodePortAddresses) {
      if (address.includes(':') === (family === 6)) {
        put('nodeport-addresses', { key: addressKey(address) })
      }
    }
    if (relays === undefined) return sets
    for (const protocol of relayedProtocols) {
      for (const port of Object.values(relays.ports[protocol])) {
        put('relays', { key: frontendKey(relays.address, protocol, port) })
      }
    }
    return sets
  }

  readonly #add: ElementVisitor = (family, set, element) =>
    this.#elements.add(elementName(family, set, element.key), { family, set, element })

  readonly #remove: ElementVisitor = (family, set, element) =>
    this.#elements.remove(elementName(family, set, element.key), { family, set, element })
}

function elementName(family: Family, set: string, key: string): string {
  return `${family}/${set}/${key}`
}
