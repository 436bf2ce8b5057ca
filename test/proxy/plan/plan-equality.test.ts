import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { plansEqual } from '../../../src/proxy/plan/plan-equality.ts'
import { planFirst } from '../../support/check-plan.ts'

const test = suite('proxy/plan/plansEqual')

/** A plan with something in every field. */
const plan = planFirst(`
  service web 10.96.0.10 http:80/TCP/30080 dns:53/UDP type=LoadBalancer lb=198.18.0.1 from=203.0.113.0/24,10.0.0.0/8 etp=Local affinity=60 health=32000
  slice s of web http:8080/TCP dns:53/UDP | 10.1.0.4@n1 | 10.1.1.7@n2`)

test('a copy is equal', () => {
  assert.ok(plansEqual(plan, structuredClone(plan)))
})

test('a plan that differs in any one value is not equal', () => {
  const paths = leafPaths(plan)
  assert.ok(paths.length > 60, `only ${paths.length} values`)
  for (const path of paths) {
    const other = structuredClone(plan)
    change(other, path)
    assert.not(plansEqual(plan, other), path.join('.'))
    assert.not(plansEqual(other, plan), path.join('.'))
  }
})

test('a plan with more or fewer elements in a list is not equal', () => {
  const { frontends, pools } = plan
  assert.not(plansEqual(plan, { ...plan, frontends: frontends.slice(1) }))
  assert.not(plansEqual(plan, { ...plan, pools: pools.slice(0, 1) }))
  assert.not(plansEqual({ ...plan, pools: [] }, plan))
  assert.not(plansEqual(plan, { ...plan, health: undefined }))
})

/** The ways to all plain values. */
function leafPaths(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [[]]
  return Object.entries(value).flatMap(([name, part]) =>
    leafPaths(part).map((path) => [name, ...path]),
  )
}

function change(target: unknown, [name = '', ...rest]: readonly string[]): void {
  if (typeof target !== 'object' || target === null) throw new Error(`nothing at ${name}`)
  const part: unknown = Reflect.get(target, name)
  if (rest.length > 0) change(part, rest)
  else Reflect.set(target, name, changed(part))
}

function changed(value: unknown): unknown {
  if (typeof value === 'boolean') return !value
  return typeof value === 'number' ? value + 1 : `${value}x`
}

test.run()
