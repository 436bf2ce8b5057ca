/** Sets of ipset that kube-proxy has in ipvs mode for IPv4 (pkg/proxy/ipvs/ipset.go). */
const names = [
  'LOOP-BACK',
  'CLUSTER-IP',
  'EXTERNAL-IP',
  'EXTERNAL-IP-LOCAL',
  'LOAD-BALANCER',
  'LOAD-BALANCER-FW',
  'LOAD-BALANCER-LOCAL',
  'LOAD-BALANCER-SOURCE-IP',
  'LOAD-BALANCER-SOURCE-CIDR',
  'NODE-PORT-TCP',
  'NODE-PORT-LOCAL-TCP',
  'NODE-PORT-UDP',
  'NODE-PORT-LOCAL-UDP',
  'NODE-PORT-SCTP-HASH',
  'NODE-PORT-LOCAL-SCTP-HASH',
  'HEALTH-CHECK-NODE-PORT',
  'IPVS-IPS',
]

/** The longest name that a set can have (IPSET_MAXNAMELEN without its zero); kube-proxy cuts the others. */
const longestName = 31

/** All of them, of both families: those for IPv6 have a 6 in their names. */
export const originalSets: readonly string[] = names.flatMap((name) => [
  `KUBE-${name}`,
  `KUBE-6-${name}`.slice(0, longestName),
])
