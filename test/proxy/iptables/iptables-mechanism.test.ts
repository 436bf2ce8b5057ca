import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EndpointSlice } from '../../../src/kube/resources.ts'
import {
  type IptablesMechanism,
  openIptablesMechanism,
} from '../../../src/proxy/iptables/iptables-mechanism.ts'
import { indexPlan, planVerdict } from '../../../src/proxy/simulate/plan-verdict.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { needsRoot } from '../../support/needs-root.ts'
import { parseCluster } from '../../support/plan-fixture.ts'
import { type Cluster, clusterOf, everyKind } from './iptables-fixture.ts'

const test = suite('proxy/iptables/iptables-mechanism')
const setups = [
  { title: 'nft over netlink', variant: 'nft', way: 'netlink' },
  { title: 'nft by restore', variant: 'nft', way: 'restore' },
  { title: 'legacy', variant: 'legacy', way: 'netlink' },
] as const
type Setup = (typeof setups)[number]
type Variant = Setup['variant']

const nothing = { transactions: 0, operations: 0, bytes: 0 }

function iptables(variant: Variant, ...args: readonly string[]): string {
  return execFileSync(`iptables-${variant}`, args, { encoding: 'utf8' })
}

function save(variant: Variant, program = 'iptables'): string {
  const text = execFileSync(`${program}-${variant}-save`, { encoding: 'utf8' })
  return text.replaceAll(/^#.*\n/gm, '')
}

/** The kubelet's marker makes the variant the one that the node uses. */
async function withMechanism(
  { variant, way }: Pick<Setup, 'variant' | 'way'>,
  body: (mechanism: IptablesMechanism, cluster: Cluster) => Promise<void>,
): Promise<void> {
  await inFreshNamespace(async () => {
    iptables(variant, '-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT')
    const mechanism = await openIptablesMechanism(way)
    try {
      await body(mechanism, clusterOf(everyKind))
    } finally {
      mechanism.close()
    }
  })
}

for (const setup of setups) {
  const { title, variant, way } = setup
  const needed = ['iptables', 'ip6tables'].flatMap((name) => [
    `${name}-${variant}-save`,
    `${name}-${variant}-restore`,
  ])
  const root = needsRoot(test, ['ip', 'unshare', ...needed])

  root(`${title}: a second synchronisation and a restart write nothing`, () =>
    withMechanism(setup, async (mechanism, { plan }) => {
      assert.match(mechanism.way, variant === 'nft' ? `${way} (nf_tables)` : 'restore (legacy)')
      assert.ok((await mechanism.synchronize(plan)).operations > 100)
      assert.equal(await mechanism.synchronize(plan), nothing)
      const restarted = await openIptablesMechanism(way)
      assert.equal(await restarted.synchronize(plan), nothing)
      assert.equal(await restarted.compare(plan), [])
      restarted.close()
    }),
  )

  root(`${title}: rules say which service they belong to, but not where that costs much`, () =>
    withMechanism(setup, async (mechanism, { plan }) => {
      await mechanism.synchronize(plan)
      assert.match(save(variant), '"ns/web:http cluster IP"')
      assert.is(save(variant).includes('"ns/web:http -> 10.1.0.4:8080"'), variant === 'nft')
    }),
  )

  root(`${title}: rules of others are left alone, and cleanup removes exactly ours`, () =>
    withMechanism(setup, async (mechanism, { plan }) => {
      iptables(variant, '-t', 'nat', '-N', 'THEIRS')
      iptables(variant, '-t', 'nat', '-A', 'PREROUTING', '-p', 'tcp', '-j', 'THEIRS')
      iptables(variant, '-N', 'KUBE-FIREWALL')
      iptables(variant, '-A', 'INPUT', '-j', 'KUBE-FIREWALL')
      iptables(variant, '-A', 'FORWARD', '-s', '10.9.0.0/16', '-j', 'ACCEPT')
      const before = save(variant)
      await mechanism.synchronize(plan)
      assert.match(save(variant), '-A FORWARD -s 10.9.0.0/16 -j ACCEPT')
      await mechanism.cleanup()
      assert.is(save(variant), before)
      assert.not.match(save(variant, 'ip6tables'), 'KUBE-')
      assert.equal(await mechanism.cleanup(), nothing)
    }),
  )

  root(`${title}: what is found is taken over from a kube-proxy`, () =>
    withMechanism(setup, async (mechanism, { plan }) => {
      const theirs = [
        '*nat',
        ':KUBE-SERVICES - [0:0]',
        ':KUBE-SVC-HMALVVKA6APKJPPY - [0:0]',
        ':KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]',
        '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
        '-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-HMALVVKA6APKJPPY',
        '-A KUBE-SVC-HMALVVKA6APKJPPY -j KUBE-SEP-AAAAAAAAAAAAAAAA',
        '-A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -j DNAT --to-destination 10.1.0.4:8080',
        'COMMIT\n',
      ]
      execFileSync(`iptables-${variant}-restore`, { input: theirs.join('\n') })
      await mechanism.synchronize(plan)
      assert.not.match(save(variant), 'KUBE-SEP-AAAAAAAAAAAAAAAA')
      assert.is(save(variant).split('-A PREROUTING').length, 2)
      assert.equal(await mechanism.compare(plan), [])
    }),
  )

  const foreign: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['rules flushed', ['-t', 'nat', '-F', 'KUBE-SERVICES'], /changed.*nat chain KUBE-SERVICES/],
    ['a rule added', ['-A', 'KUBE-FORWARD', '-j', 'DROP'], /changed.*filter chain KUBE-FORWARD/],
    ['a chain added', ['-t', 'nat', '-N', 'KUBE-SVC-X'], /unexpected.*KUBE-SVC-X/],
    ['jumps flushed', ['-F', 'FORWARD'], /changed.*FORWARD: jumps of ours/],
  ]
  for (const [deed, command, expected] of foreign) {
    root(`${title}: ${deed} by others is seen, named and mended`, () =>
      withMechanism(setup, async (mechanism, { plan }) => {
        await mechanism.synchronize(plan)
        const end = new AbortController()
        const { promise: drifted, resolve } = Promise.withResolvers<string>()
        mechanism.watchDrift(resolve, end.signal)
        iptables(variant, ...command)
        assert.match(
          await drifted,
          variant === 'nft' ? 'in table ip' : /^iptables table .* entries/,
        )
        end.abort()
        const differences = await mechanism.compare(plan)
        const text = differences.map(({ kind, object }) => `${kind} ${object}`).join('\n')
        assert.match(text, expected)
        assert.ok((await mechanism.synchronize(plan)).operations > 0)
        assert.equal(await mechanism.compare(plan), [])
      }),
    )
  }

  root(`${title}: an endpoint that goes is only deleted, and balance is made even later`, () =>
    withMechanism(setup, async (mechanism, { planner, plan }) => {
      await mechanism.synchronize(plan)
      const { slices } = parseCluster(everyKind)
      const [slice] = slices
      if (slice === undefined) throw new Error('no slice')
      planner.setSlice('ns/web-4', { ...slice, endpoints: slice.endpoints.toSpliced(1, 1) })
      const { operations } = await mechanism.update(planner.takeChanges())
      assert.is(operations, 1)
      assert.not.match(save(variant), '10.1.1.7:8080')
      assert.match(save(variant), '--probability 0.33333333349')
      await mechanism.settle()
      assert.not.match(save(variant), '--probability 0.33333333349')
      assert.equal(await mechanism.compare(plan), [])
    }),
  )

  root(`${title}: the kernel treats flows as the plan says`, () =>
    withMechanism(setup, async (mechanism, { plan }) => {
      await mechanism.synchronize(plan)
      // Rules of others need not be understood.
      iptables(variant, '-I', 'FORWARD', '-m', 'limit', '--limit', '5/min', '-j', 'LOG')
      const index = indexPlan(plan)
      const local = ['192.168.0.1']
      for (const source of ['10.1.0.4', '192.168.0.1', '192.0.2.9', '10.9.9.9']) {
        for (const [destination, destinationPort] of [
          ['10.96.0.10', 80],
          ['10.96.0.10', 81],
          ['198.18.0.1', 80],
          ['198.18.0.2', 443],
          ['192.168.0.1', 30_080],
          ['192.168.0.1', 30_443],
        ] as const) {
          const origin = source === '192.168.0.1' ? 'local' : 'received'
          const ends = { source, sourcePort: 40_000, destination, destinationPort }
          const flow = { family: 4, protocol: 'TCP', origin, ...ends } as const
          const { verdict } = await mechanism.trace(flow, local)
          assert.equal(verdict, planVerdict(index, flow, local).verdict, JSON.stringify(ends))
        }
      }
    }),
  )
}

const root = needsRoot(test, ['ip', 'unshare', 'iptables-nft-save'])

root('own changes are no drift', () =>
  withMechanism(setups[0], async (mechanism, { planner, plan }) => {
    await mechanism.synchronize(plan)
    const end = new AbortController()
    const drifts: string[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    mechanism.watchDrift((what) => {
      drifts.push(what)
      resolve()
    }, end.signal)
    planner.setService('ns/web', undefined)
    await mechanism.update(planner.takeChanges())
    iptables('nft', '-t', 'nat', '-A', 'PREROUTING', '-p', 'udp', '-j', 'ACCEPT')
    iptables('nft', '-t', 'nat', '-N', 'KUBE-SVC-X')
    await promise
    end.abort()
    assert.equal(drifts, ['add chain in table ip nat chain KUBE-SVC-X'])
  }),
)

root('any order of updates leaves what a fresh start would write', async () => {
  const { services, slices } = parseCluster(everyKind)
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
    hosts: fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 6 }),
    service: fc.option(
      fc.tuple(fc.constantFrom(...services), fc.constantFrom('gone', 'None', 'ClientIP')),
    ),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 5 }), (steps) =>
      withMechanism(setups[0], async (mechanism, { planner, plan }) => {
        await mechanism.synchronize(plan)
        for (const { slice, hosts, service: choice } of steps) {
          planner.setSlice(`ns/${slice.name}`, changed(slice, hosts))
          if (choice !== null) {
            const [service, affinity] = choice
            const sessionAffinity = affinity === 'ClientIP' ? 'ClientIP' : 'None'
            const next = { ...service, sessionAffinity, sessionAffinityTimeoutSeconds: 77 } as const
            planner.setService(`ns/${service.name}`, affinity === 'gone' ? undefined : next)
          }
          await mechanism.update(planner.takeChanges())
        }
        await mechanism.settle()
        assert.equal(await mechanism.compare(plan), [])
      }),
    ),
    { numRuns: 4 },
  )
})

test.run()
