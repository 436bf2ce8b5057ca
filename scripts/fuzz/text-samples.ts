import type { JsonValue } from './mutate-value.ts'

/** A Service with every field that the decoder reads. */
export const serviceSample: JsonValue = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    namespace: 'default',
    name: 'shop',
    resourceVersion: '42',
    labels: { 'service.kubernetes.io/service-proxy-name': 'other' },
    annotations: { 'service.kubernetes.io/topology-mode': 'Auto' },
  },
  spec: {
    type: 'LoadBalancer',
    clusterIP: '10.96.0.10',
    clusterIPs: ['10.96.0.10', 'fd00:10:96::a'],
    ipFamilies: ['IPv4', 'IPv6'],
    externalIPs: ['198.51.100.7'],
    loadBalancerSourceRanges: ['203.0.113.0/24', ' 192.0.2.0/25'],
    loadBalancerClass: 'example.com/fast',
    externalTrafficPolicy: 'Local',
    internalTrafficPolicy: 'Cluster',
    trafficDistribution: 'PreferClose',
    healthCheckNodePort: 32000,
    publishNotReadyAddresses: true,
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
    selector: { app: 'shop' },
    ports: [
      { name: 'http', protocol: 'TCP', port: 80, targetPort: 'http', nodePort: 30080 },
      { name: 'dns', protocol: 'UDP', port: 53, targetPort: 5353, appProtocol: 'dns' },
    ],
  },
  status: {
    loadBalancer: { ingress: [{ ip: '198.51.100.9', ipMode: 'VIP' }, { hostname: 'a.b' }] },
  },
}

/** A Node with every field that the decoder reads. */
export const nodeSample: JsonValue = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'node-1',
    resourceVersion: '7',
    labels: { 'topology.kubernetes.io/zone': 'a' },
  },
  spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24', 'fd00:10:244:1::/64'] },
  status: {
    addresses: [
      { type: 'InternalIP', address: '192.0.2.1' },
      { type: 'ExternalIP', address: '198.51.100.1' },
      { type: 'Hostname', address: 'node-1' },
    ],
  },
}

/** A configuration file with fields of every type. */
export const configurationSample = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
bindAddress: 0.0.0.0
healthzBindAddress: 0.0.0.0:10256
metricsBindAddress: 127.0.0.1:10249
hostnameOverride: node-1
clusterCIDR: 10.244.0.0/16,fd00:10:244::/48
configSyncPeriod: 15m0s
detectLocalMode: InterfaceNamePrefix
detectLocal:
  bridgeInterface: ""
  interfaceNamePrefix: veth
nodePortAddresses: ["192.0.2.0/24"]
clientConnection:
  kubeconfig: /etc/kubeconfig
  qps: 5
  burst: 10
nftables:
  masqueradeAll: false
  masqueradeBit: 14
  minSyncPeriod: 1s
  syncPeriod: 30s
conntrack:
  maxPerCore: 32768
  tcpEstablishedTimeout: 24h0m0s
`
