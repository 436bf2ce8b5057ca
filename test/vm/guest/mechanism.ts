import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EndpointSlice } from '../../../src/kube/resources.ts'
import { parseCluster } from '../../support/plan-fixture.ts'
import {
  inIpvsKernel,
  nodeContext,
  nothingWritten,
  openMechanism,
  runProgram,
} from './in-ipvs-kernel.ts'

const test = suite('vm/mechanism')

const clusterText = `
  service web 10.96.0.10 fd00:10::10 http:80/TCP/30080 type=LoadBalancer lb=198.18.0.1 etp=Local from=10.0.0.0/8,192.168.0.1/32
  slice web-4 of web http:8080/TCP | 10.1.0.4@n1 | 10.1.1.7@n2 | 10.1.1.8@n2
  slice web-6 of web http:8080/TCP | fd00:1::4@n1 | fd00:1:0:1::7@n2
  service sticky 10.96.0.11 main:53/UDP affinity=600
  slice sticky-1 of sticky main:53/UDP | 10.1.0.5@n1 | 10.1.1.9@n2
  service empty 10.96.0.12 p:9/SCTP/30009 type=NodePort
`
const oneEndpoint = `
  service one 10.96.0.20 p:80/TCP
  slice one-1 of one p:8080/TCP | 10.1.1.1@n2
`

test('a second synchronisation and a restart write nothing', () =>
  inIpvsKernel(clusterText, async (mechanism, { plan }) => {
    assert.equal(await mechanism.synchronize(plan), nothingWritten)
    const restarted = openMechanism()
    assert.equal(await restarted.compare(plan), [])
    assert.equal(await restarted.synchronize(plan), nothingWritten)
    restarted.close()
  }))

test('ipvsadm, nft and ip list what the plan asks for', () =>
  inIpvsKernel(clusterText, async () => {
    const listed = runProgram('ipvsadm', '-Sn').trim().split('\n')
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
    const rules = runProgram('nft', 'list', 'table', 'ip', 'portolan-ipvs')
    assert.match(rules, '10.96.0.12 . sctp . 9 comment "ns/empty:p"')
    assert.match(rules, '198.18.0.1 . tcp . 80 . 10.0.0.0/8')
    assert.match(rules, 'meta mark set ip daddr . meta l4proto . th dport map @short-cuts-pod')
    const addresses = runProgram('ip', '-o', 'addr', 'show', 'kube-ipvs0')
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
  inIpvsKernel(clusterText, async (mechanism, { plan }) => {
    for (const [title, [command = '', ...args], expected] of foreign) {
      runProgram(command, ...args)
      const found = await mechanism.compare(plan)
      const text = found.map(({ kind, object }) => `${kind} ${object}`).join('\n')
      assert.match(text, expected, title)
      assert.ok((await mechanism.synchronize(plan)).operations > 0, title)
    }
    assert.equal(await mechanism.compare(plan), [])
  }))

test('virtual servers and tables of others are left alone, and cleanup removes exactly ours', () =>
  inIpvsKernel(clusterText, async (mechanism, { plan }) => {
    runProgram('ipvsadm', '-A', '-t', '10.50.0.1:80')
    runProgram('nft', 'add', 'table', 'ip', 'theirs')
    assert.equal(await mechanism.synchronize(plan), nothingWritten)
    await mechanism.cleanup()
    assert.equal(runProgram('ipvsadm', '-Sn').trim(), '-A -t 10.50.0.1:80 -s wlc')
    assert.equal(runProgram('nft', 'list', 'tables').trim(), 'table ip theirs')
    assert.not.match(runProgram('ip', 'addr'), 'kube-ipvs0')
    const restarted = openMechanism()
    assert.equal(await restarted.cleanup(), nothingWritten)
    restarted.close()
  }))

test('one endpoint more is one operation, one less a weight of 0 and a removal when it is idle', () =>
  inIpvsKernel(oneEndpoint, async (mechanism, { planner }, clock) => {
    const change = (endpoints: string) => {
      const [slice] = parseCluster(`slice one-1 of one p:8080/TCP | ${endpoints}`).slices
      planner.setSlice('ns/one-1', slice)
      return mechanism.update(planner.takeChanges())
    }
    assert.is((await change('10.1.1.1@n2 | 10.1.1.2@n2')).operations, 1)
    assert.is((await change('10.1.1.1@n2')).operations, 1)
    const destinations = () => runProgram('ipvsadm', '-Sn').match(/-a .*-r \S+ -m -w \d/g)
    assert.equal(destinations(), [
      '-a -t 10.96.0.20:80 -r 10.1.1.1:8080 -m -w 1',
      '-a -t 10.96.0.20:80 -r 10.1.1.2:8080 -m -w 0',
    ])
    const restarted = openMechanism()
    const plan = { node: nodeContext.node, services: planner.services }
    assert.equal(await restarted.synchronize(plan), nothingWritten)
    restarted.close()
    await clock.advance(2_000)
    assert.equal(destinations(), ['-a -t 10.96.0.20:80 -r 10.1.1.1:8080 -m -w 1'])
    assert.equal(await mechanism.compare(plan), [])
  }))

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
      inIpvsKernel(clusterText, async (mechanism, { planner, plan }, clock) => {
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
        const restarted = openMechanism()
        assert.equal(await restarted.compare(plan), [])
        restarted.close()
        await clock.advance(2_000)
        assert.not.match(runProgram('ipvsadm', '-Sn'), '-w 0')
      }),
    ),
    { numRuns: 3 },
  )
})

test.run()
