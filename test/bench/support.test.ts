import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatTable } from '../../bench/support/format-table.ts'
import { generateCluster, replacementAddress } from '../../bench/support/generate-cluster.ts'
import { distribution, percentile, significant } from '../../bench/support/percentile.ts'
import { createDecodePool } from '../../src/kube/decode-pool.ts'

const support = suite('bench support')

support('percentile gives the nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  assert.is(percentile(values, 50), 50)
  assert.is(percentile(values, 99), 99)
  assert.is(percentile([7], 99), 7)
  assert.throws(() => percentile([], 50), 'no values')
})

support('distribution leaves the values as they are, and rounds', () => {
  const values = [3.123456, 1, 2]
  assert.equal(distribution(values), { p50: 2, p99: 3.123 })
  assert.equal(values, [3.123456, 1, 2])
  assert.is(significant(12_345.6), 12_350)
})

support('the table aligns numbers to the right', () => {
  const common = { subject: 'a', work: 'w', unit: 'ms' }
  const table = formatTable([
    { ...common, metric: 'm', p50: 1, p99: 10.5 },
    { ...common, metric: 'longer', value: 3 },
  ])
  assert.is(
    table,
    [
      'subject  work  metric  p50   p99  value  unit',
      'a        w     m         1  10.5         ms',
      'a        w     longer                 3  ms',
    ].join('\n'),
  )
})

support('a generated cluster is repeatable, and no address is used twice', () => {
  const size = { services: 300, endpoints: 10 }
  const cluster = generateCluster(size, createDecodePool())
  assert.equal(cluster, generateCluster(size, createDecodePool()))
  const addresses = [
    ...cluster.services.flatMap((service) => service.clusterIPs),
    ...cluster.slices.flatMap((slice) => slice.endpoints.map(({ address }) => address)),
    replacementAddress(0),
  ]
  assert.is(addresses.length, 300 + 3000 + 1)
  assert.is(new Set(addresses).size, addresses.length)
})

support.run()
