import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SetElement } from '../../../src/netlink/nftables/objects.ts'
import { ipv4Layout } from '../../../src/proxy/nftables/family-layout.ts'
import { TableCompiler } from '../../../src/proxy/nftables/table-compiler.ts'
import type { Action, Backend, Frontend, Pool, ServicePlan } from '../../../src/proxy/plan/plan.ts'
import type { ElementSink } from '../../../src/ruleset/element-sink.ts'
import { NetSink } from '../../../src/ruleset/net-sink.ts'

const test = suite('proxy/nftables/table-compiler')

/** A table of the kernel, as strict as the kernel: a removal of what is not there fails. */
class Model implements ElementSink {
  readonly sets = new Map<string, Map<string, SetElement>>()

  add(set: string, element: SetElement): void {
    const elements = this.sets.get(set) ?? new Map<string, SetElement>()
    const present = elements.get(element.key)
    if (present !== undefined) assert.is(present.value, element.value, `${set}: element exists`)
    elements.set(element.key, element)
    this.sets.set(set, elements)
  }

  remove(set: string, element: SetElement): void {
    assert.ok(this.sets.get(set)?.delete(element.key), `${set}: element does not exist`)
  }

  content(): string[] {
    return [...this.sets]
      .flatMap(([set, elements]) =>
        [...elements.values()].map((element) => JSON.stringify([set, element])),
      )
      .sort()
  }
}

const backend: fc.Arbitrary<Backend> = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.boolean())
  .map(([host]) => ({
    address: `10.1.0.${host}`,
    port: 8000 + (host % 2),
    isLocal: host % 3 === 0,
  }))

function pools(service: string): fc.Arbitrary<Pool | undefined> {
  return fc
    .tuple(
      fc.uniqueArray(backend, {
        maxLength: 9,
        selector: ({ address, port }) => `${address}:${port}`,
      }),
      fc.constantFrom(0, 0, 10_800),
    )
    .map(([backends, affinitySeconds]) => {
      const [first, ...rest] = backends
      if (first === undefined) return undefined
      return {
        key: `${service}:p/TCP/cluster/4`,
        family: 4,
        protocol: 'TCP',
        backends: [first, ...rest],
        affinitySeconds,
      }
    })
}

/** A service whose cluster and external address may differ in policy, or no service. */
function servicePlan(service: string, host: number): fc.Arbitrary<ServicePlan | undefined> {
  return fc
    .tuple(
      fc.boolean(),
      pools(service),
      fc.constantFrom('reject' as const, 'drop' as const),
      fc.boolean(),
    )
    .map(([exists, pool, otherwise, isLocalPolicy]) => {
      if (!exists) return undefined
      const inside: Action =
        pool === undefined ? { kind: otherwise } : { kind: 'balance', pool, masquerade: 'hairpin' }
      const outside: Action = isLocalPolicy ? { kind: 'drop' } : inside
      const base = {
        service,
        portName: 'p',
        family: 4 as const,
        protocol: 'TCP' as const,
        sourceRanges: undefined,
      }
      const frontends: Frontend[] = [
        {
          ...base,
          kind: 'cluster-ip',
          address: `10.96.0.${host}`,
          port: 80,
          actions: { pod: inside, node: inside, outside: inside },
        },
        {
          ...base,
          kind: 'external-ip',
          address: `10.96.1.${host}`,
          port: 80,
          actions: { pod: inside, node: inside, outside },
        },
      ]
      return { service, frontends, pools: pool === undefined ? [] : [pool], health: undefined }
    })
}

const services = ['a/one', 'a/two', 'b/three']

test('updates leave what compiling the final plans gives, up to numbers and slots', () => {
  const step = fc.tuple(
    ...services.map((service, index) => fc.option(servicePlan(service, index + 1), { nil: null })),
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const compiler = new TableCompiler(ipv4Layout)
      const model = new Model()
      const plans = new Map<string, ServicePlan>()
      for (const changes of steps) {
        const sink = new NetSink()
        changes.forEach((after, index) => {
          const service = services[index] ?? ''
          if (after === null) return
          compiler.update(plans.get(service), after, sink)
          if (after === undefined) plans.delete(service)
          else plans.set(service, after)
        })
        sink.flush(model)
        const whole = new Model()
        compiler.forEachElement(plans.values(), (set, element) => whole.add(set, element))
        assert.equal(model.content(), whole.content())
      }
      const fresh = new TableCompiler(ipv4Layout)
      const wanted = new Model()
      for (const plan of plans.values()) fresh.update(undefined, plan, wanted)
      const sizes = (sets: Model): string[] =>
        [...sets.sets]
          .map(([set, { size }]) => `${set} ${size}`)
          .filter((line) => !line.endsWith(' 0'))
          .sort()
      assert.equal(sizes(model), sizes(wanted))
    }),
    { numRuns: 300 },
  )
})

test('one of ten backends replaced: its slot is rewritten and nothing else', () => {
  const plan = (hosts: readonly number[]): ServicePlan => {
    const [first = 1, ...rest] = hosts
    const toBackend = (host: number): Backend => ({
      address: `10.1.0.${host}`,
      port: 80,
      isLocal: false,
    })
    const pool: Pool = {
      key: 'a/b:/TCP/cluster/4',
      family: 4,
      protocol: 'TCP',
      backends: [toBackend(first), ...rest.map(toBackend)],
      affinitySeconds: 0,
    }
    return { service: 'a/b', frontends: [], pools: [pool], health: undefined }
  }
  const compiler = new TableCompiler(ipv4Layout)
  const before = plan([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  const after = plan([1, 2, 3, 4, 6, 7, 8, 9, 10, 11])
  compiler.update(undefined, before, new Model())
  const operations: string[] = []
  compiler.update(before, after, {
    add: (set) => operations.push(`add ${set}`),
    remove: (set) => operations.push(`remove ${set}`),
  })
  assert.equal(operations, ['remove slots', 'add slots'])
})

test.run()
