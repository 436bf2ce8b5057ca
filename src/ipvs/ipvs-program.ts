import type { Family } from '../net/address.ts'
import type { SetElement } from '../netlink/nftables/objects.ts'
import { frontendKey as frontendName, type ServicePlan } from '../proxy/plan/plan.ts'
import { type CountedChange, CountedMap } from '../ruleset/counted-map.ts'
import { type ElementSink, isSameElement, type SetElements } from '../ruleset/element-sink.ts'
import {
  type CompileContext,
  compileService,
  type ServerProgram,
  type ServiceVisitor,
} from './compile-service.ts'
import { isSameServer } from './server-difference.ts'
import { formatServerKey } from './virtual-server.ts'

interface FamilyElement {
  readonly family: Family
  readonly set: string
  readonly element: SetElement
}

/** What a service asks for, by name. */
interface CompiledService {
  readonly servers: readonly (readonly [string, ServerProgram])[]
  readonly elements: readonly (readonly [string, FamilyElement])[]
  readonly addresses: readonly string[]
}

/** What differs after some services were compiled anew. */
export interface ProgramChanges {
  /** By `formatServerKey`. */
  readonly servers: readonly CountedChange<ServerProgram>[]
  readonly addresses: readonly CountedChange<string>[]
  /** Whether any element of a table has changed. */
  readonly hasElements: boolean
  /** Hands the changed elements of a family's table to a sink, removals first. */
  elements(family: Family, sink: ElementSink): void
}

/** Everything that the compiled services need: virtual servers, elements of the tables, local addresses.
 *  Things that services share are there once. */
export class IpvsProgram {
  readonly #context: CompileContext
  readonly #servers = new CountedMap<ServerProgram>(isSameProgram)
  readonly #elements = new CountedMap<FamilyElement>(
    (left, right) => left === right || isSameElement(left.element, right.element),
  )
  readonly #addresses = new CountedMap<string>(() => true)
  readonly #compiled = new WeakMap<ServicePlan, CompiledService>()

  constructor(context: CompileContext) {
    this.#context = context
  }

  /** Compiles changed services. `before` is the plan that was given last for the service. */
  update(
    changes: Iterable<{
      readonly before: ServicePlan | undefined
      readonly after: ServicePlan | undefined
    }>,
  ): ProgramChanges {
    const gone = new Set<string>()
    const kept = new Set<string>()
    for (const { before, after } of changes) {
      if (before !== undefined) this.#take(this.#compile(before), 'remove')
      if (after !== undefined) this.#take(this.#compile(after), 'add')
      for (const frontend of before?.frontends ?? []) gone.add(frontendName(frontend))
      for (const frontend of after?.frontends ?? []) kept.add(frontendName(frontend))
    }
    for (const name of gone) if (!kept.has(name)) this.#context.marks.release(name)
    const elements = this.#elements.takeChanges()
    return {
      servers: this.#servers.takeChanges(),
      addresses: this.#addresses.takeChanges(),
      hasElements: elements.length > 0,
      elements: (family, sink) => writeElements(elements, family, sink),
    }
  }

  server(name: string): ServerProgram | undefined {
    return this.#servers.get(name)
  }

  servers(): Iterable<readonly [string, ServerProgram]> {
    return this.#servers.entries()
  }

  hasAddress(address: string): boolean {
    return this.#addresses.get(address) !== undefined
  }

  addresses(): readonly string[] {
    return [...this.#addresses.entries()].map(([address]) => address)
  }

  hasElement(family: Family, set: string, key: string): boolean {
    return this.#elements.get(elementName(family, set, key)) !== undefined
  }

  /** All elements of the table of a family. */
  elements(family: Family): SetElements {
    const sets = new Map<string, Map<string, SetElement>>()
    for (const [, entry] of this.#elements.entries()) {
      if (entry.family !== family) continue
      const elements = sets.get(entry.set)
      if (elements === undefined) {
        sets.set(entry.set, new Map([[entry.element.key, entry.element]]))
      } else elements.set(entry.element.key, entry.element)
    }
    return sets
  }

  /** What a service asks for; remembered with its plan, which is compiled for the last time when it goes. */
  #compile(plan: ServicePlan): CompiledService {
    const known = this.#compiled.get(plan)
    if (known !== undefined) return known
    const servers: [string, ServerProgram][] = []
    const elements: [string, FamilyElement][] = []
    const addresses: string[] = []
    const visitor: ServiceVisitor = {
      server: (program) => servers.push([formatServerKey(program.server.key), program]),
      element: (family, set, element) =>
        elements.push([elementName(family, set, element.key), { family, set, element }]),
      address: (address) => addresses.push(address),
    }
    compileService(plan, this.#context, visitor)
    const compiled = { servers, elements, addresses }
    this.#compiled.set(plan, compiled)
    return compiled
  }

  #take({ servers, elements, addresses }: CompiledService, verb: 'add' | 'remove'): void {
    for (const [name, program] of servers) this.#servers[verb](name, program)
    for (const [name, element] of elements) this.#elements[verb](name, element)
    for (const address of addresses) this.#addresses[verb](address, address)
  }
}

function elementName(family: Family, set: string, key: string): string {
  return `${family}/${set}/${key}`
}

function writeElements(
  changes: readonly CountedChange<FamilyElement>[],
  family: Family,
  sink: ElementSink,
): void {
  for (const { before } of changes) {
    if (before?.family === family) sink.remove(before.set, before.element)
  }
  for (const { after } of changes) {
    if (after?.family === family) sink.add(after.set, after.element)
  }
}

function isSameProgram(left: ServerProgram, right: ServerProgram): boolean {
  if (left === right) return true
  if (!isSameServer(left.server, right.server)) return false
  if (left.destinations.size !== right.destinations.size) return false
  for (const [name, { weight }] of left.destinations) {
    if (right.destinations.get(name)?.weight !== weight) return false
  }
  return left.drains === right.drains
}
