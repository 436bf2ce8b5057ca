import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createProxyMetrics } from '../../src/observe/proxy-metrics.ts'

const test = suite('observe/proxy-metrics')

/** Names, types and labels of kube-proxy 1.36 in nftables mode, as its documentation lists them. */
const original = `
counter kubeproxy_conntrack_reconciler_deleted_entries_total ip_family
histogram kubeproxy_network_programming_duration_seconds ip_family
counter kubeproxy_proxy_healthz_total code
counter kubeproxy_proxy_livez_total code
histogram kubeproxy_sync_full_proxy_rules_duration_seconds ip_family
histogram kubeproxy_sync_partial_proxy_rules_duration_seconds ip_family
histogram kubeproxy_sync_proxy_rules_duration_seconds ip_family
gauge kubeproxy_sync_proxy_rules_endpoint_changes_pending
counter kubeproxy_sync_proxy_rules_endpoint_changes_total
gauge kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds ip_family
gauge kubeproxy_sync_proxy_rules_last_timestamp_seconds ip_family
counter kubeproxy_sync_proxy_rules_nftables_cleanup_failures_total ip_family
counter kubeproxy_sync_proxy_rules_nftables_sync_failures_total ip_family
gauge kubeproxy_sync_proxy_rules_no_local_endpoints_total ip_family,traffic_policy
gauge kubeproxy_sync_proxy_rules_service_changes_pending
counter kubeproxy_sync_proxy_rules_service_changes_total`

const own = `
histogram portolan_event_to_kernel_seconds
counter portolan_kernel_bytes_total
counter portolan_kernel_transactions_total
counter portolan_repairs_total`

test('names and types are those of the original, and ours', async () => {
  const { registry } = createProxyMetrics()
  const made = (await registry.getMetricsAsJSON())
    .filter(({ name }) => /^(kubeproxy|portolan)_/.test(name))
    .map(({ name, type }) => `${type} ${name}`)
    .sort()
  const expected = `${original}${own}`
    .trim()
    .split('\n')
    .map((line) => line.split(' ').slice(0, 2).join(' '))
    .sort()
  assert.equal(made, expected)
})

test('labels are those of the original', () => {
  const { registry } = createProxyMetrics()
  for (const line of original.trim().split('\n')) {
    const [, name = '', labels = ''] = line.split(' ')
    const metric = registry.getSingleMetric(name) as unknown as { labelNames: readonly string[] }
    assert.is([...metric.labelNames].sort().join(), labels, name)
  }
})

test('buckets: synchronisation from 1 ms to 16 s, programming up to 5 minutes, ours from 50 us', () => {
  const { registry } = createProxyMetrics()
  const bounds = (name: string) => {
    const metric = registry.getSingleMetric(name) as unknown as { upperBounds: readonly number[] }
    return metric.upperBounds
  }
  const sync = bounds('kubeproxy_sync_proxy_rules_duration_seconds')
  assert.equal([sync[0], sync.at(-1), sync.length], [0.001, 16.384, 15])
  const programming = bounds('kubeproxy_network_programming_duration_seconds')
  assert.equal([programming[0], programming.at(-1), programming.length], [0.25, 300, 80])
  assert.is(bounds('portolan_event_to_kernel_seconds')[0], 0.000_05)
})

test('failures are zero from the start', async () => {
  const text = await createProxyMetrics().registry.metrics()
  assert.match(text, 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total{ip_family="IPv6"} 0')
})

test('two proxies in one process do not share metrics', () => {
  createProxyMetrics().repairs.inc()
  assert.not.throws(() => createProxyMetrics())
})

test.run()
