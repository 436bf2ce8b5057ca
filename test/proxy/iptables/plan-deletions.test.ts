import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planDeletions } from '../../../src/proxy/iptables/plan-deletions.ts'
import type { Rule } from '../../../src/proxy/iptables/rule.ts'

const test = suite('proxy/iptables/plan-deletions')

function balance(hosts: readonly number[]): readonly Rule[] {
  return hosts.map((host, index) => {
    const left = hosts.length - index
    return {
      protocol: 'TCP',
      matches: left === 1 ? [] : [{ kind: 'statistic', share: Math.round(2 ** 31 / left) }],
      target: { kind: 'dnat', address: `10.1.0.${host}`, port: 80 },
    }
  })
}

function plan(before: readonly number[], after: readonly number[]) {
  const chain = { table: 'nat', name: 'KUBE-SVC-A', rules: balance(after) } as const
  return planDeletions({ filled: [{ ...chain, before: balance(before) }], removed: [] })
}

test('an endpoint in the middle is deleted', () => {
  assert.equal(plan([1, 2, 3], [1, 3])?.[0]?.indexes, [1])
})

test('the last endpoint is not: what is left would all go by shares', () => {
  assert.is(plan([1, 2, 3], [1, 2]), undefined)
})

test('an addition, an exchange and an unknown chain are no deletions', () => {
  assert.is(plan([1, 2], [1, 2, 3]), undefined)
  assert.is(plan([1, 2, 3], [1, 4, 3]), undefined)
  const chain = { table: 'nat', name: 'KUBE-SVC-A', rules: balance([1]) } as const
  assert.is(planDeletions({ filled: [chain], removed: [] }), undefined)
})

test('what is left names the endpoints that shall be left, the last one without a share', () => {
  const hosts = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1 })
  fc.assert(
    fc.property(hosts, fc.array(fc.boolean()), (before, isKept) => {
      const after = before.filter((_, index) => isKept[index] ?? true)
      const deletions = plan(before, after)
      if (deletions === undefined) {
        assert.is.not(after.at(-1), before.at(-1))
        return
      }
      const left = deletions[0]?.after ?? []
      assert.equal(
        left.map(({ target }) => target),
        balance(after).map(({ target }) => target),
      )
      assert.equal(left.at(-1)?.matches ?? [], [])
    }),
  )
})

test.run()
