import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { kubernetesPlugin } from '../../../src/dns/zone/kubernetes-plugin.ts'
import { directive, formatRecord, openCluster } from './zone-fixture.ts'

const test = suite('dns/zone/transfer-zone')

const cluster = openCluster()
cluster.setFile(
  'all',
  [
    'apiVersion: v1\nkind: Service\nmetadata: {name: web}\n' +
      'spec: {clusterIP: 10.96.0.10, ports: [{name: HTTP, port: 80}, {port: 53, protocol: UDP}]}\n',
    'apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {clusterIP: None}\n',
    'apiVersion: v1\nkind: Service\nmetadata: {name: out}\n' +
      'spec: {type: ExternalName, externalName: www.example.com}\n',
    'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n' +
      'metadata: {name: db-1, labels: {kubernetes.io/service-name: db}}\n' +
      'ports: [{name: sql, port: 5432}]\nendpoints: [{addresses: [10.244.0.1], hostname: one}]\n',
  ].join('---\n'),
)

function transfer(zone: string, addresses: readonly string[]): string[] | undefined {
  const plugin = kubernetesPlugin(directive(), {
    names: cluster.names,
    localAddresses: () => addresses,
    searchDomains: () => [],
  })
  const records = plugin.transfer?.(zone)
  return records === undefined ? undefined : [...records].map(formatRecord)
}

const d = 'default.svc.cluster.local.'
const soa = (zone: string): string =>
  `${zone} 5 SOA ns.dns.${zone} hostmaster.${zone} 7 7200 1800 86400 5`

test('a transfer has every name once between two SOA records, also with several addresses', () => {
  assert.equal(transfer('cluster.local.', ['192.0.2.1', '192.0.2.2']), [
    soa('cluster.local.'),
    'cluster.local. 5 NS ns.dns.cluster.local.',
    'ns.dns.cluster.local. 5 A 192.0.2.1',
    'ns.dns.cluster.local. 5 A 192.0.2.2',
    `db.${d} 5 A 10.244.0.1`,
    `one.db.${d} 5 A 10.244.0.1`,
    `_sql._tcp.db.${d} 5 SRV 0 100 5432 one.db.${d}`,
    `out.${d} 5 CNAME www.example.com.`,
    `web.${d} 5 A 10.96.0.10`,
    `web.${d} 5 SRV 0 100 80 web.${d}`,
    `_http._tcp.web.${d} 5 SRV 0 100 80 web.${d}`,
    `web.${d} 5 SRV 0 100 53 web.${d}`,
    soa('cluster.local.'),
  ])
})

test('reverse zones list no names, and other zones are not ours', () => {
  assert.equal(transfer('in-addr.arpa.', []), [soa('in-addr.arpa.'), soa('in-addr.arpa.')])
  assert.is(transfer('svc.cluster.local.', []), undefined)
})

test.run()
