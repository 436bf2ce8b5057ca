import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type IpvsMechanism, openIpvsMechanism } from '../../../src/ipvs/ipvs-mechanism.ts'
import type { EndpointSlice } from '../../../src/kube/resources.ts'
import { resourceKey } from '../../../src/kube/resources.ts'
import { Planner } from '../../../src/proxy/plan/planner.ts'
import type { Plan } from '../../../src/proxy/port/mechanism.ts'
import { FakeClock } from '../../kube/fake-clock.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { parseCluster, planContext } from '../../support/plan-fixture.ts'

const test = suite('vm/mechanism')

const context = planContext({ nodePortAddresses: ['192.168.0.1', 'fd00:50::1'] })
const clusterText = `
  service web 10.96.0.10 fd00:10::10 http:80/TCP/30080 type=LoadBalancer lb=198.18.0.1 etp=Local from=10.0.0.0/8,192.168.0.1/32
  slice web-4 of web http:8080/TCP | 10.1.0.4@n1 | 10.1.1.7@n2 | 10.1.1.8@n2
  slice web-6 of web http:8080/TCP | fd00:1::4@n1 | fd00:1:0:1::7@n2
  service sticky 10.96.0.11 main:53/UDP affinity=600
  slice sticky-1 of sticky main:53/UDP | 10.1.0.5@n1 | 10.1.1.9@n2
  service empty 10.96.0.12 p:9/SCTP/30009 type=NodePort
`
const nothing = { transactions: 0, operations: 0, bytes: 0 }

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

function open(clock = new FakeClock()): IpvsMechanism {
  const timeouts = { tcp: 0, tcpFin: 0, udp: 0 }
  return openIpvsMechanism({ scheduler: '', excludeCidrs: [], isArpStrict: true, timeouts, clock })
}

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' })
}

async function inKernel(
  body: (mechanism: IpvsMechanism, cluster: Cluster, clock: FakeClock) => Promise<void>,
  text = clusterText,
): Promise<void> {
  await inFreshNamespace(async () => {
    const clock = new FakeClock()
    const mechanism = open(clock)
    try {
      const cluster = clusterOf(text)
      await mechanism.synchronize(cluster.plan)
      await body(mechanism, cluster, clock)
    } finally {
      mechanism.close()
    }
  })
}

test('a second synchronisation and a restart write nothing', () =>
  inKernel(async (mechanism, { plan }) => {
    assert.equal(await mechanism.synchronize(plan), nothing)
    const restarted = open()
    assert.equal(await restarted.compare(plan), [])
    assert.equal(await restarted.synchronize(plan), nothing)
    restarted.close()
  }))

test('ipvsadm, nft and ip list what the plan asks for', () =>
  inKernel(async () => {
    const listed = run('ipvsadm', '-Sn').trim().split('\n')
    for (const line of [
      '-A -t 10.96.0.10:80 -s rr',
      '-a -t 10.96.0.10:80 -r 10.1.1.7:8080 -m -w 1',
      '-A -t [fd00:10::10]:80 -s rr',
      '-A -u 10.96.0.11:53 -s rr -p 600',
      '-a -t 198.18.0.1:80 -r 10.1.0.4:8080 -m -w 1',
      '-a -t 192.168.0.1:30080 -r 10.1.0.4:8080 -m -w 1',
      '-a -t [fd00:50::1]:30080 -r [fd00:1::4]:8080 -m -w 1',
    ]) {
      assert.ok(listed.includes(line), `${line} in\n${listed.join('\n')}`)
    }
    assert.not.ok(listed.some((line) => line.includes('198.18.0.1:80 -r 10.1.1.7')))
    assert.ok(listed.some((line) => /^-a -f \d+ -r 10\.1\.1\.7:8080/.test(line)))
    const rules = run('nft', 'list', 'table', 'ip', 'portolan-ipvs')
    assert.match(rules, '10.96.0.12 . sctp . 9 comment "ns/empty:p"')
    assert.match(rules, '198.18.0.1 . tcp . 80 . 10.0.0.0/8')
    assert.match(rules, 'meta mark set ip daddr . meta l4proto . th dport map @short-cuts-pod')
    const addresses = run('ip', '-o', 'addr', 'show', 'kube-ipvs0')
    for (const address of ['10.96.0.10/32', '10.96.0.12/32', '198.18.0.1/32', 'fd00:10::10/128']) {
      assert.match(addresses, address)
    }
  }))

const foreign: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'a destination deleted',
    ['ipvsadm', '-d', '-t', '10.96.0.10:80', '-r', '10.1.1.7:8080'],
    /missing destination 10\.1\.1\.7:8080 weight 1 of virtual server TCP 10\.96\.0\.10:80/,
  ],
  [
    'a destination added',
    ['ipvsadm', '-a', '-t', '10.96.0.10:80', '-r', '10.9.9.9:1', '-m'],
    /changed destination 10\.9\.9\.9:1 weight 0/,
  ],
  [
    'a virtual server deleted',
    ['ipvsadm', '-D', '-u', '10.96.0.11:53'],
    /missing virtual server UDP/,
  ],
  [
    'a virtual server changed',
    ['ipvsadm', '-E', '-t', '10.96.0.10:80', '-s', 'lc'],
    /changed virtual server TCP 10\.96\.0\.10:80 scheduler rr is expected/,
  ],
  [
    'a virtual server added to a service address',
    ['ipvsadm', '-A', '-t', '10.96.0.10:81'],
    /unexpected virtual server TCP 10\.96\.0\.10:81/,
  ],
  [
    'an address deleted',
    ['ip', 'addr', 'del', '10.96.0.11/32', 'dev', 'kube-ipvs0'],
    /missing service address 10\.96\.0\.11/,
  ],
  ['the interface deleted', ['ip', 'link', 'del', 'kube-ipvs0'], /missing service address/],
  ['the table deleted', ['nft', 'delete', 'table', 'ip', 'portolan-ipvs'], /missing table ip/],
  [
    'an element deleted',
    ['nft', 'delete', 'element', 'ip', 'portolan-ipvs', 'frontends', '{ 10.96.0.10 . tcp . 80 }'],
    /missing ip portolan-ipvs frontends 10\.96\.0\.10 \. tcp \. 80/,
  ],
]
test('what others change is seen, named and mended', () =>
  inKernel(async (mechanism, { plan }) => {
    for (const [title, [command = '', ...args], expected] of foreign) {
      run(command, ...args)
      const found = await mechanism.compare(plan)
      const text = found.map(({ kind, object }) => `${kind} ${object}`).join('\n')
      assert.match(text, expected, title)
      assert.ok((await mechanism.synchronize(plan)).operations > 0, title)
    }
    assert.equal(await mechanism.compare(plan), [])
  }))

test('virtual servers and tables of others are left alone, and cleanup removes exactly ours', () =>
  inKernel(async (mechanism, { plan }) => {
    run('ipvsadm', '-A', '-t', '10.50.0.1:80')
    run('nft', 'add', 'table', 'ip', 'theirs')
    assert.equal(await mechanism.synchronize(plan), nothing)
    await mechanism.cleanup()
    assert.equal(run('ipvsadm', '-Sn').trim(), '-A -t 10.50.0.1:80 -s wlc')
    assert.equal(run('nft', 'list', 'tables').trim(), 'table ip theirs')
    assert.not.match(run('ip', 'addr'), 'kube-ipvs0')
    const restarted = open()
    assert.equal(await restarted.cleanup(), nothing)
    restarted.close()
  }))

test('one endpoint more is one operation, one less a weight of 0 and a removal when it is idle', () =>
  inKernel(async (mechanism, { planner }, clock) => {
    const change = (endpoints: string) => {
      const [slice] = parseCluster(`slice one-1 of one p:8080/TCP | ${endpoints}`).slices
      planner.setSlice('ns/one-1', slice)
      return mechanism.update(planner.takeChanges())
    }
    assert.is((await change('10.1.1.1@n2 | 10.1.1.2@n2')).operations, 1)
    assert.is((await change('10.1.1.1@n2')).operations, 1)
    const destinations = () => run('ipvsadm', '-Sn').match(/-a .*-r \S+ -m -w \d/g)
    assert.equal(destinations(), [
      '-a -t 10.96.0.20:80 -r 10.1.1.1:8080 -m -w 1',
      '-a -t 10.96.0.20:80 -r 10.1.1.2:8080 -m -w 0',
    ])
    const restarted = open()
    const plan = { node: context.node, services: planner.services }
    assert.equal(await restarted.synchronize(plan), nothing)
    restarted.close()
    await clock.advance(2_000)
    assert.equal(destinations(), ['-a -t 10.96.0.20:80 -r 10.1.1.1:8080 -m -w 1'])
    assert.equal(await mechanism.compare(plan), [])
  }, 'service one 10.96.0.20 p:80/TCP\nslice one-1 of one p:8080/TCP | 10.1.1.1@n2'))

test('any order of updates leaves what a fresh start would write', async () => {
  const { services, slices } = parseCluster(clusterText)
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
    slice: fc.constantFrom('web-4', 'web-6', 'sticky-1'),
    hosts: fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 6 }),
    service: fc.option(
      fc.tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom('gone', 'None', 'ClientIP')),
    ),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 4 }), (steps) =>
      inKernel(async (mechanism, { planner, plan }, clock) => {
        for (const { slice: name, hosts, service: choice } of steps) {
          const slice = slices.find((candidate) => candidate.name === name)
          if (slice !== undefined) planner.setSlice(`ns/${name}`, changed(slice, hosts))
          const service = choice === null ? undefined : services[choice[0]]
          if (service !== undefined && choice !== null) {
            const sessionAffinity = choice[1] === 'ClientIP' ? 'ClientIP' : 'None'
            const next = { ...service, sessionAffinity, sessionAffinityTimeoutSeconds: 77 } as const
            planner.setService(`ns/${service.name}`, choice[1] === 'gone' ? undefined : next)
          }
          await mechanism.update(planner.takeChanges())
        }
        assert.equal(await mechanism.compare(plan), [])
        const restarted = open()
        assert.equal(await restarted.compare(plan), [])
        restarted.close()
        await clock.advance(2_000)
        assert.not.match(run('ipvsadm', '-Sn'), '-w 0')
      }),
    ),
    { numRuns: 3 },
  )
})

test.run()
