import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatBindAddress, parseBindAddress } from '../../../src/proxy/config/bind-address.ts'
import {
  type NodeFacts,
  type NodeSettings,
  resolveNodeSettings,
} from '../../../src/proxy/config/node-settings.ts'
import { parseProxyConfiguration } from '../../../src/proxy/config/parse-proxy-configuration.ts'
import { type ProxyOptions, resolveProxyOptions } from '../../../src/proxy/config/proxy-options.ts'

const test = suite('proxy/config/proxy-options and node-settings')
const type = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n'

function options(fields: string): ProxyOptions {
  return resolveProxyOptions(parseProxyConfiguration(`${type}${fields}`, 'x'), 'Host-1')
}

const node: NodeFacts = {
  labels: { 'topology.kubernetes.io/zone': 'zone-a' },
  addresses: ['192.168.50.1', 'fd00:50::1', '203.0.113.1'],
  podCIDRs: ['10.244.1.0/24', 'fd00:10:244:1::/64'],
}
const local = ['127.0.0.1', '172.31.7.1', '192.168.50.1', '::1', 'fd00:50::1', 'fd00:99::1']

function settings(fields: string, facts: NodeFacts | undefined = node): NodeSettings {
  return resolveNodeSettings(options(fields), facts, local, [])
}

test('defaults', () => {
  const resolved = options('')
  assert.is(resolved.nodeName, 'host-1')
  assert.is(resolved.masqueradeMark, 0x4000)
  assert.is(resolved.minSyncPeriodMs, 0)
  assert.is(resolved.syncPeriodMs, 3_600_000)
  assert.is(resolved.healthTimeoutMs, 60_000)
  assert.equal(resolved.healthzAddress, { host: '0.0.0.0', port: 10_256 })
  assert.equal(resolved.metricsAddress, { host: '127.0.0.1', port: 10_249 })
  assert.equal(resolved.detectLocal, { mode: 'ClusterCIDR', clusterCIDRs: [] })
})

test('a blank mode also reads the iptables section, mode nftables does not', () => {
  const fields = 'iptables: {masqueradeBit: 3, masqueradeAll: true, syncPeriod: 10s}\n'
  const blank = options(fields)
  assert.equal([blank.masqueradeMark, blank.masqueradeAll, blank.syncPeriodMs], [8, true, 10_000])
  assert.is(blank.healthTimeoutMs, 20_000)
  const nftables = options(`${fields}mode: nftables`)
  assert.equal([nftables.masqueradeMark, nftables.masqueradeAll], [0x4000, false])
})

test('mode ipvs masquerades as the iptables section says, and has periods of its own', () => {
  const text = 'mode: ipvs\niptables: {masqueradeBit: 3}\nipvs: {syncPeriod: 10s}\n'
  const ipvs = options(text)
  assert.equal([ipvs.mode, ipvs.masqueradeMark, ipvs.syncPeriodMs], ['ipvs', 8, 10_000])
  assert.is(ipvs.nodePortAddresses, 'any-local')
})

test('mode iptables reads its own section, and opens node ports on all addresses', () => {
  const text = 'mode: iptables\niptables: {masqueradeBit: 3}\nnftables: {masqueradeAll: true}\n'
  const iptables = options(text)
  assert.equal(
    [iptables.mode, iptables.masqueradeMark, iptables.masqueradeAll],
    ['iptables', 8, false],
  )
  assert.is(iptables.nodePortAddresses, 'any-local')
  assert.is(options(`${text}nodePortAddresses: [primary]`).nodePortAddresses, 'primary')
  assert.is(options('').nodePortAddresses, 'primary')
})

test('mark bit 31 is a positive number', () => {
  assert.is(options('nftables: {masqueradeBit: 31}').masqueradeMark, 0x8000_0000)
})

test('an IPv6 bindAddress moves the servers to IPv6', () => {
  const resolved = options('bindAddress: "fd00::1"')
  assert.equal(resolved.healthzAddress, { host: '::', port: 10_256 })
  assert.equal(resolved.metricsAddress, { host: '::1', port: 10_249 })
})

test('hostnameOverride goes before the host name, in lower case', () => {
  assert.is(options('hostnameOverride: Node-7').nodeName, 'node-7')
})

test('the node has its zone and the first address of each family', () => {
  assert.equal(settings('').identity, {
    nodeName: 'host-1',
    zone: 'zone-a',
    addresses: ['192.168.50.1', 'fd00:50::1'],
  })
  assert.equal(settings('bindAddress: 10.9.9.9').identity.addresses, ['10.9.9.9', 'fd00:50::1'])
  assert.equal(settings('', { ...node, addresses: [] }).identity.addresses, ['127.0.0.1', '::1'])
})

const detectors: readonly [string, unknown][] = [
  ['', { kind: 'none' }],
  [
    'clusterCIDR: 10.244.0.0/16',
    { kind: 'prefixes', prefixes: [{ family: 4, address: '10.244.0.0', length: 16 }] },
  ],
  [
    'detectLocalMode: NodeCIDR',
    {
      kind: 'prefixes',
      prefixes: [
        { family: 4, address: '10.244.1.0', length: 24 },
        { family: 6, address: 'fd00:10:244:1::', length: 64 },
      ],
    },
  ],
  [
    'detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: cni0}',
    { kind: 'interface', name: 'cni0', match: 'exact' },
  ],
  [
    'detectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: veth}',
    { kind: 'interface', name: 'veth', match: 'prefix' },
  ],
]

for (const [fields, detector] of detectors) {
  test(`pods by ${fields.split('\n', 1)[0] || 'nothing'}`, () => {
    assert.equal(settings(fields).plan.podDetector, detector)
  })
}

const nodePorts: readonly [string, NodeFacts | undefined, 'any-local' | readonly string[]][] = [
  ['', node, ['192.168.50.1', 'fd00:50::1']],
  ['nodePortAddresses: [primary]', node, ['192.168.50.1', 'fd00:50::1']],
  ['', undefined, 'any-local'],
  // A family without an address of its own is open, as in the original.
  ['', { ...node, addresses: ['192.168.50.1'] }, ['192.168.50.1', 'fd00:50::1', 'fd00:99::1']],
  ['nodePortAddresses: [172.31.0.0/16, "fd00:99::/64"]', node, ['172.31.7.1', 'fd00:99::1']],
  ['nodePortAddresses: [172.31.0.0/16]', node, ['172.31.7.1', 'fd00:50::1', 'fd00:99::1']],
  ['nodePortAddresses: [0.0.0.0/0, "::/0"]', node, 'any-local'],
  [
    'nodePortAddresses: [0.0.0.0/0, "fd00:99::/64"]',
    node,
    ['172.31.7.1', '192.168.50.1', 'fd00:99::1'],
  ],
  ['nodePortAddresses: [127.0.0.0/8, "::1/128"]', node, []],
]

for (const [fields, facts, addresses] of nodePorts) {
  test(`node ports with ${fields || 'nothing set'}, node ${facts?.addresses.length ?? 'unknown'}`, () => {
    const resolved = resolveNodeSettings(options(fields), facts, local, [])
    assert.equal(resolved.plan.nodePortAddresses, addresses)
  })
}

const bound: readonly [string, string | undefined][] = [
  ['10.0.0.1', '10.0.0.1:7'],
  ['10.0.0.1:80', '10.0.0.1:80'],
  ['::1', '[::1]:7'],
  ['[::1]', '[::1]:7'],
  ['[::1]:80', '[::1]:80'],
  ['[10.0.0.1]:80', undefined],
  ['10.0.0.1:0', undefined],
  ['10.0.0.1:65536', undefined],
  ['localhost:80', undefined],
  [':80', undefined],
  ['', undefined],
]

for (const [text, expected] of bound) {
  test(`bind address "${text}"`, () => {
    const address = parseBindAddress(text, 7)
    assert.is(address && formatBindAddress(address), expected)
  })
}

test.run()
