const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'web',
    namespace: 'default',
    resourceVersion: '7',
    labels: { app: 'web' },
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'x' },
  },
  spec: {
    type: 'LoadBalancer',
    clusterIP: '10.96.0.10',
    clusterIPs: ['10.96.0.10', 'FD00:0::10'],
    externalIPs: ['192.0.2.1'],
    loadBalancerSourceRanges: [' 10.0.0.0/8 '],
    loadBalancerClass: 'example.com/lb',
    ports: [
      { name: 'http', port: 80, targetPort: 'web', nodePort: 30080, appProtocol: 'http' },
      { name: 'dns', protocol: 'UDP', port: 53 },
    ],
    selector: { app: 'web' },
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
    externalTrafficPolicy: 'Local',
    internalTrafficPolicy: 'Local',
    trafficDistribution: 'PreferClose',
    healthCheckNodePort: 31000,
    publishNotReadyAddresses: true,
    fieldOfTomorrow: { a: [1] },
  },
  status: {
    loadBalancer: { ingress: [{ ip: '203.0.113.9', ipMode: 'Proxy' }, { hostname: 'lb.example' }] },
  },
}

const slice = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: 'web-1',
    namespace: 'default',
    resourceVersion: '8',
    labels: { 'kubernetes.io/service-name': 'web' },
  },
  addressType: 'IPv4',
  endpoints: [
    { addresses: ['10.244.0.1'], conditions: {}, nodeName: 'n1', zone: 'z1', hostname: 'h' },
    { addresses: ['10.244.0.2'], conditions: { ready: false, terminating: true } },
    {
      addresses: ['10.244.0.3'],
      conditions: { ready: false, serving: true, terminating: null },
      hints: { forZones: [{ name: 'z1' }], forNodes: [{ name: 'n1' }] },
    },
    { addresses: ['10.244.0.4'] },
  ],
  ports: [
    { name: '', port: 8080 },
    { name: 'all', protocol: 'UDP' },
  ],
}

const node = {
  kind: 'Node',
  metadata: { name: 'n1', resourceVersion: '9' },
  spec: { podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24', 'fd00::/64'] },
  status: {
    addresses: [
      { type: 'Hostname', address: 'n1' },
      { type: 'ExternalIP', address: '203.0.113.1' },
      { type: 'InternalIP', address: '192.168.0.1' },
    ],
  },
}

const serviceCidr = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name: 'kubernetes', resourceVersion: '3' },
  spec: { cidrs: ['10.96.0.0/16', 'fd00:10:96::/112'] },
}

const namespace = {
  kind: 'Namespace',
  metadata: { name: 'default', resourceVersion: '4', labels: { team: 'a' } },
}

const pod = {
  kind: 'Pod',
  metadata: { name: 'web-0', namespace: 'default', resourceVersion: '5' },
  status: {
    phase: 'Running',
    podIP: '10.244.0.7',
    podIPs: [{ ip: '10.244.0.7' }, { ip: 'fd00::7' }],
  },
}

/** One object of each consumed kind with every field that is decoded, as an API server sends it. */
export const exampleObjects = {
  Service: service,
  EndpointSlice: slice,
  Node: node,
  ServiceCIDR: serviceCidr,
  Namespace: namespace,
  Pod: pod,
} as const
