import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EndpointSlice, Service } from '../../../src/kube/resources.ts'
import { resourceKey } from '../../../src/kube/resources.ts'
import { NftablesConnection } from '../../../src/netlink/nftables/connection.ts'
import {
  NftablesMechanism,
  openNftablesMechanism,
} from '../../../src/proxy/nftables/nftables-mechanism.ts'
import { Planner } from '../../../src/proxy/plan/planner.ts'
import type { Plan } from '../../../src/proxy/port/mechanism.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { needsRoot } from '../../support/needs-root.ts'
import { parseCluster, planContext } from '../../support/plan-fixture.ts'

const test = suite('proxy/nftables/nftables-mechanism')
const root = needsRoot(test)

const context = planContext({ nodePortAddresses: ['192.168.0.1', 'fd00:50::1'] })
const clusterText = `
  service web 10.96.0.10 fd00:10::10 http:80/TCP/30080 type=LoadBalancer lb=198.18.0.1 etp=Local from=10.0.0.0/8,10.1.0.0/16,192.168.0.1/32
  slice web-4 of web http:8080/TCP | 10.1.0.4@n1 | 10.1.1.7@n2 | 10.1.1.8@n2
  slice web-6 of web http:8080/TCP | fd00:1::4@n1 | fd00:1:0:1::7@n2
  service sticky 10.96.0.11 main:53/UDP affinity=600
  slice sticky-1 of sticky main:53/UDP | 10.1.0.5@n1 | 10.1.1.9@n2
  service empty 10.96.0.12 p:9/SCTP/30009 type=NodePort
`

interface Cluster {
  readonly planner: Planner
  readonly plan: Plan
}

function clusterOf(text: string): Cluster {
  const planner = new Planner(context)
  const { services, slices } = parseCluster(text)
  for (const service of services) planner.setService(resourceKey(service), service)
  for (const slice of slices) planner.setSlice(resourceKey(slice), slice)
  planner.takeChanges()
  return { planner, plan: { node: context.node, services: planner.services } }
}

function nft(...args: readonly string[]): string {
  return execFileSync('nft', args, { encoding: 'utf8' })
}

async function inTable(
  body: (mechanism: NftablesMechanism, cluster: Cluster) => Promise<void>,
): Promise<void> {
  await inFreshNamespace(async () => {
    const mechanism = openNftablesMechanism()
    try {
      const cluster = clusterOf(clusterText)
      await mechanism.synchronize(cluster.plan)
      await body(mechanism, cluster)
    } finally {
      mechanism.close()
    }
  })
}

root('a second synchronisation and a restart write nothing', () =>
  inTable(async (mechanism, { plan }) => {
    const nothing = { transactions: 0, operations: 0, bytes: 0 }
    assert.equal(await mechanism.synchronize(plan), nothing)
    const restarted = openNftablesMechanism()
    assert.equal(await restarted.synchronize(plan), nothing)
    assert.equal(await restarted.compare(plan), [])
    restarted.close()
  }),
)

root('nft lists the table by names, and other tables are left alone', () =>
  inTable(async (mechanism, { plan }) => {
    nft('add', 'table', 'ip', 'theirs')
    const text = nft('list', 'table', 'ip', 'portolan')
    assert.match(text, 'typeof ip daddr . meta l4proto . th dport : meta mark')
    assert.match(text, '10.96.0.10 . tcp . 80 comment "ns/web:http"')
    assert.match(text, '198.18.0.1 . tcp . 80 . 10.0.0.0/8')
    assert.not.match(text, '198.18.0.1 . tcp . 80 . 10.1.0.0/16')
    await mechanism.synchronize(plan)
    await mechanism.cleanup()
    assert.equal(nft('list', 'tables').trim(), 'table ip theirs')
  }),
)

root('names of the greatest length survive a restart, and nft lists them', () =>
  inFreshNamespace(async () => {
    const [namespace, name, port] = ['n'.repeat(63), 's'.repeat(63), 'p'.repeat(15)]
    const { plan } = clusterOf(`
      service ${namespace}/${name} 10.96.0.20 ${port}:80/TCP
      slice ${namespace}/${name}-1 of ${name} ${port}:80/TCP | 10.1.0.4@n1
    `)
    const mechanism = openNftablesMechanism()
    await mechanism.synchronize(plan)
    const restarted = openNftablesMechanism()
    assert.equal(await restarted.compare(plan), [])
    assert.match(nft('list', 'table', 'ip', 'portolan'), `${namespace}/${name}:${port}`)
    mechanism.close()
    restarted.close()
  }),
)

const foreign: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'an element deleted',
    ['delete', 'element', 'ip', 'portolan', 'frontends', '{ 10.96.0.10 . tcp . 80 }'],
    /missing.*10\.96\.0\.10 \. tcp \. 80/,
  ],
  [
    'an element added',
    ['add', 'element', 'ip', 'portolan', 'cluster-addresses', '{ 10.9.9.9 }'],
    /unexpected.*10\.9\.9\.9/,
  ],
  [
    'a stray slot',
    ['add', 'element', 'ip', 'portolan', 'slots', '{ 0x999 . 3 : 10.9.9.9 . 80 }'],
    /unexpected.*10\.9\.9\.9/,
  ],
  ['rules flushed', ['flush', 'chain', 'ip', 'portolan', 'services'], /changed.*services/],
  ['a rule added', ['add', 'rule', 'ip', 'portolan', 'discard', 'accept'], /changed.*discard/],
  ['a chain added', ['add', 'chain', 'ip6', 'portolan', 'theirs'], /unexpected.*theirs/],
  [
    'a set added',
    ['add', 'set', 'ip', 'portolan', 'theirs', '{ type ipv4_addr; }'],
    /changed.*theirs/,
  ],
  ['the table flushed', ['flush', 'table', 'ip', 'portolan'], /changed/],
  ['the table deleted', ['delete', 'table', 'ip6', 'portolan'], /missing/],
]
for (const [title, command, expected] of foreign) {
  root(`${title} by others is seen, named and mended`, () =>
    inTable(async (mechanism, { plan }) => {
      const end = new AbortController()
      const { promise: drifted, resolve } = Promise.withResolvers<string>()
      mechanism.watchDrift(resolve, end.signal)
      nft(...command)
      assert.match(await drifted, 'portolan')
      end.abort()
      const differences = await mechanism.compare(plan)
      assert.match(differences.map(({ kind, object }) => `${kind} ${object}`).join('\n'), expected)
      assert.ok((await mechanism.synchronize(plan)).operations > 0)
      assert.equal(await mechanism.compare(plan), [])
    }),
  )
}

root('own changes are no drift', () =>
  inTable(async (mechanism, { planner }) => {
    const end = new AbortController()
    const drifts: string[] = []
    mechanism.watchDrift((what) => drifts.push(what), end.signal)
    planner.setService('ns/web', undefined)
    await mechanism.update(planner.takeChanges())
    nft('add', 'table', 'ip', 'theirs')
    const { promise, resolve } = Promise.withResolvers<string>()
    mechanism.watchDrift(resolve, end.signal)
    nft('add', 'chain', 'ip', 'portolan', 'theirs')
    await promise
    end.abort()
    assert.equal(
      drifts.filter((what) => !what.includes('chain')),
      [],
    )
  }),
)

root('a new affinity timeout is an update like any other: the elements are not read', () =>
  inFreshNamespace(async () => {
    const connection = NftablesConnection.open()
    let readSets = 0
    const read = connection.forEachElement.bind(connection)
    connection.forEachElement = (...args) => {
      readSets++
      read(...args)
    }
    const mechanism = new NftablesMechanism(connection)
    const { planner, plan } = clusterOf(clusterText)
    await mechanism.synchronize(plan)
    const [web] = parseCluster(clusterText).services
    if (web === undefined) throw new Error('the cluster has no service')
    for (const seconds of [77, 78, 77]) {
      readSets = 0
      planner.setService('ns/web', withAffinity(web, seconds))
      await mechanism.update(planner.takeChanges())
      assert.is(readSets, 0)
      const restarted = openNftablesMechanism()
      assert.equal(await restarted.compare(plan), [])
      restarted.close()
    }
    mechanism.close()
  }),
)

function withAffinity(service: Service, seconds: number): Service {
  return { ...service, sessionAffinity: 'ClientIP', sessionAffinityTimeoutSeconds: seconds }
}

root('any order of updates leaves what a fresh start would write', async () => {
  const slices = ['web-4', 'web-6', 'sticky-1']
  const { services, slices: firstSlices } = parseCluster(clusterText)
  const changed = (slice: EndpointSlice, hosts: readonly number[]): EndpointSlice => ({
    ...slice,
    endpoints: hosts.flatMap((host) => {
      const [like] = slice.endpoints
      const address =
        slice.addressType === 'IPv6' ? `fd00:1::${host.toString(16)}` : `10.1.0.${host}`
      return like === undefined ? [] : [{ ...like, address }]
    }),
  })
  const step = fc.record({
    slice: fc.constantFrom(...slices),
    hosts: fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 12 }),
    service: fc.option(
      fc.tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom('gone', 'None', 77, 600, 10_800)),
    ),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), (steps) =>
      inTable(async (mechanism, { planner, plan }) => {
        for (const { slice: name, hosts, service: choice } of steps) {
          const slice = firstSlices.find((candidate) => candidate.name === name)
          if (slice !== undefined) planner.setSlice(`ns/${name}`, changed(slice, hosts))
          const service = choice === null ? undefined : services[choice[0]]
          if (service !== undefined && choice !== null) {
            const [, affinity] = choice
            const next: Service =
              typeof affinity === 'number'
                ? withAffinity(service, affinity)
                : { ...service, sessionAffinity: 'None' }
            planner.setService(`ns/${service.name}`, affinity === 'gone' ? undefined : next)
          }
          await mechanism.update(planner.takeChanges())
        }
        assert.equal(await mechanism.compare(plan), [])
        const restarted = openNftablesMechanism()
        assert.equal(await restarted.compare(plan), [])
        restarted.close()
      }),
    ),
    { numRuns: 12 },
  )
})

test.run()
