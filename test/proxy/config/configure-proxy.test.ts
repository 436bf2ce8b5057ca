import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { configureProxy, type FlagTexts } from '../../../src/proxy/config/configure-proxy.ts'
import { proxyConfigurationFields } from '../../../src/proxy/config/proxy-configuration.ts'
import { proxyFlags } from '../../../src/proxy/config/proxy-flags.ts'

const test = suite('proxy/config/configure-proxy')

/** What `kube-proxy --help` of 1.36 lists on Linux, without help and version. */
const originalNames =
  `bind-address bind-address-hard-fail cleanup cluster-cidr config config-sync-period
  conntrack-max-per-core conntrack-min conntrack-tcp-be-liberal conntrack-tcp-timeout-close-wait
  conntrack-tcp-timeout-established conntrack-udp-timeout conntrack-udp-timeout-stream
  detect-local-mode feature-gates healthz-bind-address healthz-port hostname-override init-only
  iptables-localhost-nodeports iptables-masquerade-bit iptables-min-sync-period iptables-sync-period
  ipvs-exclude-cidrs ipvs-min-sync-period ipvs-scheduler ipvs-strict-arp ipvs-sync-period
  ipvs-tcp-timeout ipvs-tcpfin-timeout ipvs-udp-timeout kube-api-burst kube-api-content-type
  kube-api-qps kubeconfig log-flush-frequency log-json-info-buffer-size log-json-split-stream
  log-text-info-buffer-size log-text-split-stream logging-format masquerade-all master
  metrics-bind-address metrics-port nodeport-addresses oom-score-adj pod-bridge-interface
  pod-interface-name-prefix profiling proxy-mode show-hidden-metrics-for-version v vmodule
  write-config-to`.split(/\s+/)

const file = {
  name: 'kube-proxy.yaml',
  content:
    'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n' +
    'clusterCIDR: 10.244.0.0/16\nclientConnection: {kubeconfig: /etc/proxy.conf}\n',
}

function refusal(flags: FlagTexts): string {
  try {
    configureProxy(flags, undefined)
  } catch (error) {
    return (error as Error).message
  }
  return 'accepted'
}

test('the table has exactly the flags of the original', () => {
  assert.equal(proxyFlags.map(({ name }) => name).sort(), originalNames)
})

test('every flag names a field that exists', () => {
  for (const { field } of proxyFlags) {
    let value: unknown = proxyConfigurationFields.absent
    for (const step of field?.split('.') ?? []) {
      assert.ok(typeof value === 'object' && value !== null && step in value, field)
      value = (value as Record<string, unknown>)[step]
    }
  }
})

test('the defaults of the table are accepted as values', () => {
  for (const { name, standard, field } of proxyFlags) {
    if (field === undefined || standard === '' || standard === '[]') continue
    assert.is(refusal({ [name]: standard }), 'accepted', name)
  }
})

test('flags set their fields', () => {
  const flags = {
    'masquerade-all': 'true',
    'nodeport-addresses': '10.0.0.0/8,fd00::/8',
    'iptables-sync-period': '1m',
    'feature-gates': 'A=true,B=false',
    'oom-score-adj': '-5',
    'healthz-bind-address': '127.0.0.1:1',
    v: '4',
  }
  const { configuration, warnings } = configureProxy(flags, undefined)
  assert.is(configuration.nftables.masqueradeAll, true)
  assert.equal(configuration.nodePortAddresses, ['10.0.0.0/8', 'fd00::/8'])
  assert.is(configuration.nftables.syncPeriod, 60_000)
  assert.is(configuration.iptables.masqueradeAll, true)
  assert.is(configuration.iptables.syncPeriod, 60_000)
  assert.equal(configuration.featureGates, { A: true, B: false })
  assert.is(configuration.oomScoreAdj, -5)
  assert.is(configuration.healthzBindAddress, '127.0.0.1:1')
  assert.is(configuration.logging.verbosity, 4)
  assert.equal(warnings, [])
})

const refused: readonly [FlagTexts, string][] = [
  [{ 'masquerade-all': 'perhaps' }, '--masquerade-all: got "perhaps", expected true or false'],
  [{ 'oom-score-adj': 'low' }, '--oom-score-adj: got "low", expected a whole number'],
  [
    { 'iptables-masquerade-bit': '40' },
    '--iptables-masquerade-bit: got "40", expected a whole number 0..31',
  ],
  [
    { 'feature-gates': 'A' },
    '--feature-gates: got "A", expected Name=true pairs separated by commas',
  ],
  [
    { 'cluster-cidr': '10.0.0.0/33' },
    '--cluster-cidr: got "10.0.0.0/33", expected a prefix, or one of each family separated by a comma',
  ],
]

for (const [flags, message] of refused) {
  test(`refuses ${JSON.stringify(flags)}`, () => {
    assert.is(refusal(flags), `command line: ${message}`)
  })
}

test('all faults of the flags come at once', () => {
  const message = refusal({ 'oom-score-adj': 'low', 'cluster-cidr': 'x', 'masquerade-all': 'y' })
  assert.is(message.split('; ').length, 3)
})

test('beside a file configuration flags are ignored with a warning', () => {
  const flags = { 'cluster-cidr': '10.1.0.0/16', kubeconfig: '/other', 'hostname-override': 'N2' }
  const { configuration, warnings } = configureProxy({ ...flags, v: '5' }, file)
  assert.is(configuration.clusterCIDR, '10.244.0.0/16')
  assert.is(configuration.clientConnection.kubeconfig, '/etc/proxy.conf')
  assert.is(configuration.hostnameOverride, 'N2')
  assert.is(configuration.logging.verbosity, 5)
  assert.equal(warnings, [
    '--kubeconfig is ignored: --config is given',
    '--cluster-cidr is ignored: --config is given',
  ])
})

test('a kubeconfig flag counts beside a file that has none', () => {
  const content = file.content.replace('/etc/proxy.conf', '""')
  const { configuration } = configureProxy({ kubeconfig: '/a' }, { name: 'x', content })
  assert.is(configuration.clientConnection.kubeconfig, '/a')
})

test('servers are switched off by an empty address or port 0', () => {
  const off = configureProxy({ 'metrics-bind-address': '', 'healthz-port': '0' }, undefined)
  assert.equal(off.disabledServers, ['healthz', 'metrics'])
  assert.match(off.warnings.join(), '--healthz-port: deprecated')
})

test.run()
