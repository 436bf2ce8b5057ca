import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { createSet, hasSet } from '../../support/ip-sets.ts'
import { prefix } from '../../support/plan-fixture.ts'
import {
  clusterOf,
  inIpvsKernel,
  nothingWritten,
  openMechanism,
  runProgram,
} from './in-ipvs-kernel.ts'

const test = suite('vm/others')

const web = `
  service web 10.96.0.10 http:80/TCP
  slice web-4 of web http:8080/TCP | 10.1.0.4@n1 | 10.1.1.7@n2
`

const servers = (): string[] => runProgram('ipvsadm', '-Sn').trim().split('\n').sort()

test('virtual servers in excluded ranges are left alone, also on service addresses', () =>
  inIpvsKernel(
    web,
    async (mechanism, { plan }) => {
      runProgram('ip', 'address', 'add', '10.97.0.1/32', 'dev', 'kube-ipvs0')
      runProgram('ipvsadm', '-A', '-t', '10.97.0.1:80', '-s', 'lc')
      runProgram('ipvsadm', '-A', '-t', '10.96.0.10:81', '-s', 'lc')
      await mechanism.synchronize(plan)
      assert.ok(servers().includes('-A -t 10.97.0.1:80 -s lc'))
      assert.not.ok(servers().some((line) => line.includes('10.96.0.10:81')))
      await mechanism.cleanup()
      assert.equal(servers(), ['-A -t 10.97.0.1:80 -s lc'])
    },
    { excludeCidrs: [prefix('10.97.0.0/16')] },
  ))

const arp = (name: string): string =>
  readFileSync(`/proc/sys/net/ipv4/conf/all/${name}`, 'utf8').trim()

test('strict ARP is set when it is asked for, and only then', async () => {
  const values = (): string[] => [arp('arp_ignore'), arp('arp_announce')]
  await inIpvsKernel(web, async () => assert.equal(values(), ['0', '0']), { isArpStrict: false })
  await inIpvsKernel(web, async () => assert.equal(values(), ['1', '2']), { isArpStrict: true })
})

test('SCTP: virtual servers, read back by a restart; an endpoint that leaves goes at once', () => {
  const text = `
    service calls 10.96.0.30 p:80/SCTP
    slice calls-4 of calls p:9080/SCTP | 10.1.0.4@n1 | 10.1.1.7@n2`
  return inIpvsKernel(text, async (mechanism, { plan, planner }) => {
    assert.equal(servers(), [
      '-A --sctp-service 10.96.0.30:80 -s rr',
      '-a --sctp-service 10.96.0.30:80 -r 10.1.0.4:9080 -m -w 1',
      '-a --sctp-service 10.96.0.30:80 -r 10.1.1.7:9080 -m -w 1',
    ])
    const restarted = openMechanism()
    assert.equal(await restarted.synchronize(plan), nothingWritten)
    restarted.close()
    planner.setSlice('ns/calls-4', undefined)
    await mechanism.update(planner.takeChanges())
    assert.equal(servers(), [''])
  })
})

/** What kube-proxy in ipvs mode leaves: one virtual server that is wanted still, one that is not. */
const original: readonly (readonly [string, ...string[]])[] = [
  ['ip', 'link', 'add', 'kube-ipvs0', 'type', 'dummy'],
  ['ip', 'address', 'add', '10.96.0.10/32', 'dev', 'kube-ipvs0'],
  ['ip', 'address', 'add', '10.96.0.99/32', 'dev', 'kube-ipvs0'],
  ['ipvsadm', '-A', '-t', '10.96.0.10:80', '-s', 'rr'],
  ['ipvsadm', '-a', '-t', '10.96.0.10:80', '-r', '10.1.0.4:8080', '-m', '-w', '1'],
  ['ipvsadm', '-a', '-t', '10.96.0.10:80', '-r', '10.1.1.7:8080', '-m', '-w', '1'],
  ['ipvsadm', '-A', '-t', '10.96.0.99:80', '-s', 'rr'],
  ['iptables-nft', '-t', 'nat', '-N', 'KUBE-MARK-MASQ'],
]

test('kube-proxy in ipvs mode: what is wanted still is not touched, its sets and chains stay', () =>
  inFreshNamespace(async () => {
    for (const [command, ...args] of original) runProgram(command, ...args)
    assert.ok(createSet('KUBE-CLUSTER-IP'))
    const mechanism = openMechanism()
    const { plan } = clusterOf(web)
    const differences = await mechanism.compare(plan)
    const ofServers = differences.filter(({ object }) => /virtual server/.test(object))
    assert.equal(
      ofServers.map(({ kind, object }) => `${kind} ${object}`),
      ['unexpected virtual server TCP 10.96.0.99:80'],
    )
    await mechanism.synchronize(plan)
    assert.is(servers().length, 3)
    assert.not.match(runProgram('ip', 'address'), '10.96.0.99')
    assert.ok(hasSet('KUBE-CLUSTER-IP'))
    assert.match(runProgram('iptables-nft-save'), 'KUBE-MARK-MASQ')
    await mechanism.cleanup()
    assert.equal(servers(), [''])
    assert.ok(hasSet('KUBE-CLUSTER-IP'), 'also after a clean-up')
    mechanism.close()
  }))

test.run()
