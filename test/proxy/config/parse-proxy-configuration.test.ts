import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DecodeError } from '../../../src/net/decode-error.ts'
import { formatConfiguration } from '../../../src/proxy/config/describe-configuration.ts'
import { parseProxyConfiguration } from '../../../src/proxy/config/parse-proxy-configuration.ts'
import {
  defaultProxyConfiguration,
  type ProxyConfiguration,
} from '../../../src/proxy/config/proxy-configuration.ts'

const test = suite('proxy/config/parse-proxy-configuration')
const type = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n'

function parse(fields: string): ProxyConfiguration {
  return parseProxyConfiguration(`${type}${fields}`, 'kube-proxy.yaml')
}

function refusal(content: string): string {
  try {
    parseProxyConfiguration(content, 'kube-proxy.yaml')
  } catch (error) {
    assert.instance(error, DecodeError)
    return (error as DecodeError).message
  }
  return 'accepted'
}

/** `section.field: value`, and what it must say when it is wrong; no message: it is right. */
const rows: readonly [string, string?][] = [
  ['featureGates: {A: true}'],
  ['featureGates: {A: maybe}', 'featureGates.A: got "maybe", expected true or false'],
  ['featureGates: []', 'featureGates: got [], expected an object'],
  ['clientConnection: {kubeconfig: /a, acceptContentTypes: b, contentType: c}'],
  ['clientConnection: {qps: 2.5, burst: 20}'],
  ['clientConnection: {qps: fast}', 'clientConnection.qps: got "fast", expected a number'],
  [
    'clientConnection: {burst: -1}',
    'clientConnection.burst: got -1, expected a whole number 0..2147483647',
  ],
  ['logging: {format: json, verbosity: 4, flushFrequency: 5s}'],
  ['logging: {flushFrequency: 5000000000}'],
  ['logging: {vmodule: [{filePattern: a, verbosity: 3}]}'],
  ['logging: {options: {json: {infoBufferSize: "64Ki", splitStream: true}}}'],
  ['logging: {options: {text: {splitStream: false, infoBufferSize: 0}}}'],
  ['logging: {format: xml}', 'logging.format: got "xml", expected one of text, json'],
  [
    'logging: {options: {json: {infoBufferSize: big}}}',
    'logging.options.json.infoBufferSize: got "big", expected a quantity such as "64Ki"',
  ],
  ['hostnameOverride: n1'],
  ['hostnameOverride: 5', 'hostnameOverride: got 5, expected a string'],
  ['bindAddress: "::"'],
  ['bindAddress: nowhere', 'bindAddress: got "nowhere", expected an IPv4 or IPv6 address'],
  ['healthzBindAddress: 10.0.0.1'],
  ['healthzBindAddress: "[::1]:80"'],
  [
    'healthzBindAddress: 10.0.0.1:70000',
    'healthzBindAddress: got "10.0.0.1:70000", expected address:port with a port 1..65535, ' +
      'such as "0.0.0.0:10256" or "[::]:10256"',
  ],
  ['metricsBindAddress: ""'],
  [
    'metricsBindAddress: localhost:1',
    'metricsBindAddress: got "localhost:1", expected address:port with a port 1..65535, ' +
      'such as "0.0.0.0:10256" or "[::]:10256"',
  ],
  ['bindAddressHardFail: true\nenableProfiling: true'],
  ['enableProfiling: "true"', 'enableProfiling: got "true", expected true or false'],
  ['showHiddenMetricsForVersion: "1.35"'],
  [
    'showHiddenMetricsForVersion: one',
    'showHiddenMetricsForVersion: got "one", expected a version such as "1.35"',
  ],
  ['mode: nftables'],
  ['mode: ""'],
  [
    'mode: kernelspace',
    'mode: got "kernelspace", expected one of blank, nftables, iptables, ipvs, userspace, portable',
  ],
  ['mode: iptables'],
  ['mode: ipvs'],
  ['iptables: {masqueradeBit: 0, masqueradeAll: true, localhostNodePorts: false}'],
  ['iptables: {snatNodeInternalIP: true, syncPeriod: 30s, minSyncPeriod: 1s}'],
  [
    'iptables: {masqueradeBit: 40}',
    'iptables.masqueradeBit: got 40, expected a whole number 0..31',
  ],
  [
    'iptables: {minSyncPeriod: 1m, syncPeriod: 30s}',
    'iptables.syncPeriod: got 30000, expected a duration of at least iptables.minSyncPeriod',
  ],
  ['ipvs: {scheduler: rr, strictARP: true, excludeCIDRs: [10.0.0.0/8], tcpTimeout: 1s}'],
  ['ipvs: {tcpFinTimeout: 1s, udpTimeout: 1s, syncPeriod: 30s, minSyncPeriod: 1s}'],
  [
    'ipvs: {excludeCIDRs: [10.0.0.0]}',
    'ipvs.excludeCIDRs[0]: got "10.0.0.0", expected a prefix such as "10.244.0.0/16" or ' +
      '"fd00:10:244::/48"',
  ],
  [
    'ipvs: {tcpTimeout: -1s}',
    'ipvs.tcpTimeout: got "-1s", expected a duration of 0 or more such as "30s" or "1m30s"',
  ],
  ['nftables: {masqueradeBit: 31, masqueradeAll: true, syncPeriod: 30s, minSyncPeriod: 10ms}'],
  [
    'nftables: {syncPeriod: 30}',
    'nftables.syncPeriod: got 30, expected a duration of 0 or more such as "30s" or "1m30s"',
  ],
  [
    'nftables: {masqueradeBit: 1.5}',
    'nftables.masqueradeBit: got 1.5, expected a whole number 0..31',
  ],
  ['winkernel: {networkName: a, sourceVip: b, enableDSR: true, rootHnsEndpointName: c}'],
  ['winkernel: {forwardHealthCheckVip: true}'],
  ['detectLocalMode: NodeCIDR'],
  [
    'detectLocalMode: Magic',
    'detectLocalMode: got "Magic", expected one of blank, ClusterCIDR, NodeCIDR, ' +
      'BridgeInterface, InterfaceNamePrefix',
  ],
  ['detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: cni0}'],
  [
    'detectLocalMode: BridgeInterface',
    'detectLocal.bridgeInterface: got "", expected the name of an interface (1 to 15 ' +
      'characters) for this detectLocalMode',
  ],
  [
    'detectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: longer-than-any-name}',
    'detectLocal.interfaceNamePrefix: got "longer-than-any-name", expected the name of an ' +
      'interface (1 to 15 characters) for this detectLocalMode',
  ],
  ['clusterCIDR: 10.244.0.0/16,fd00:10:244::/48'],
  [
    'clusterCIDR: 10.0.0.0/33',
    'clusterCIDR: got "10.0.0.0/33", expected a prefix, or one of each family separated by a comma',
  ],
  [
    'clusterCIDR: 10.0.0.0/8,11.0.0.0/8',
    'clusterCIDR: got "10.0.0.0/8,11.0.0.0/8", expected at most one prefix of each family',
  ],
  ['detectLocalMode: NodeCIDR\nclusterCIDR: not used'],
  ['nodePortAddresses: null'],
  ['nodePortAddresses: [primary]'],
  ['nodePortAddresses: [10.0.0.0/8, "fd00::/8"]'],
  [
    'nodePortAddresses: [10.0.0.0/8, secondary]',
    'nodePortAddresses[1]: got "secondary", expected "primary" or a prefix such as ' +
      '"192.168.0.0/16"',
  ],
  [
    'nodePortAddresses: [10.0.0.0/8, primary]',
    'nodePortAddresses[1]: got "primary", expected only prefixes, or "primary" alone',
  ],
  ['nodePortAddresses: primary', 'nodePortAddresses: got "primary", expected a list'],
  ['oomScoreAdj: -1000'],
  ['oomScoreAdj: 1001', 'oomScoreAdj: got 1001, expected a whole number -1000..1000'],
  ['conntrack: {maxPerCore: 0, min: 0, tcpBeLiberal: true, tcpEstablishedTimeout: 0s}'],
  ['conntrack: {tcpCloseWaitTimeout: 1h, udpTimeout: 30s, udpStreamTimeout: 300s}'],
  ['conntrack: {min: -1}', 'conntrack.min: got -1, expected a whole number 0..2147483647'],
  ['configSyncPeriod: 15m'],
  [
    'configSyncPeriod: soon',
    'configSyncPeriod: got "soon", expected a duration of 0 or more such as "30s" or "1m30s"',
  ],
  ['portRange: 300-2000'],
  ['portRange: "300+20"'],
  ['portRange: 9-3', 'portRange: got "9-3", expected a port range such as "300-2000"'],
  ['windowsRunAsService: true', 'windowsRunAsService: got true, expected false on this platform'],
]

for (const [fields, message] of rows) {
  test(`${fields.replaceAll('\n', '; ')}: ${message === undefined ? 'accepted' : 'refused'}`, () => {
    const expected = message === undefined ? 'accepted' : `kube-proxy.yaml: ${message}`
    assert.is(refusal(`${type}${fields}`), expected)
  })
}

test('every field of the configuration occurs in a row', () => {
  const words = rows.map(([fields]) => fields).join('\n')
  const missing: string[] = []
  const look = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    for (const [name, inner] of Object.entries(value)) {
      const isType = path === '' && (name === 'apiVersion' || name === 'kind')
      if (!isType && !words.includes(name)) missing.push(`${path}${name}`)
      look(inner, `${path}${name}.`)
    }
  }
  look(defaultProxyConfiguration, '')
  assert.equal(missing, [])
})

test('unknown fields are refused with the nearest known one', () => {
  assert.is(
    refusal(`${type}iptables: {masqueradeBti: 4}`),
    'kube-proxy.yaml: iptables.masqueradeBti: got 4, expected no such field here ("masqueradeBit")',
  )
  assert.match(refusal(`${type}zzz: 4`), /zzz: got 4, expected no such field here \(one of apiVer/)
})

test('doubled fields are refused with their path', () => {
  assert.match(
    refusal(`${type}nftables:\n  masqueradeBit: 1\n  masqueradeBit: 2`),
    /nftables\.masqueradeBit: got "masqueradeBit", expected this field only once/,
  )
  assert.match(
    refusal('{"kind":"KubeProxyConfiguration","kind":"KubeProxyConfiguration"}'),
    /kind: got "kind", expected this field only once/,
  )
})

test('all faults come at once', () => {
  const message = refusal(`${type}mode: kernelspace\noomScoreAdj: 2000\nclusterCIDR: x`)
  for (const field of ['mode', 'oomScoreAdj', 'clusterCIDR']) assert.match(message, `${field}: got`)
})

test('apiVersion and kind must be there and right', () => {
  const message = refusal('apiVersion: kubeproxy.config.k8s.io/v1\n')
  assert.match(message, /apiVersion: got "kubeproxy.config.k8s.io\/v1", expected one of kubeproxy/)
  assert.match(message, /kind: got nothing, expected KubeProxyConfiguration/)
})

test('text that is no document names its line', () => {
  assert.match(refusal('a: b\n c: d\n'), /^kube-proxy\.yaml:\d+:\d+: document: /)
  assert.match(refusal(''), /0 documents/)
  assert.match(refusal(`${type}---\n${type}`), /2 documents/)
  assert.match(refusal('a: &x [*x]'), /aliases are not supported/)
  assert.match(refusal('['.repeat(50_000)), /expected /)
})

test('an empty configuration has the defaults of the original', () => {
  const configuration = parse('')
  assert.equal(configuration, defaultProxyConfiguration)
  assert.is(configuration.oomScoreAdj, -999)
  assert.is(configuration.configSyncPeriod, 900_000)
  assert.is(configuration.conntrack.maxPerCore, 32_768)
  assert.is(configuration.conntrack.tcpEstablishedTimeout, 86_400_000)
  assert.is(configuration.iptables.localhostNodePorts, true)
})

test('JSON is taken as well', () => {
  const text =
    '{"apiVersion":"kubeproxy.config.k8s.io/v1alpha1","kind":"KubeProxyConfiguration",' +
    '"hostnameOverride":"n1"}'
  assert.is(parseProxyConfiguration(text, 'x').hostnameOverride, 'n1')
})

test('what is written out is read back', () => {
  const configuration = parse('nftables: {syncPeriod: 1m30s}\nclusterCIDR: 10.244.0.0/16')
  assert.equal(parseProxyConfiguration(formatConfiguration(configuration), 'x'), configuration)
})

test.run()
