import type { Family } from '../../src/net/address.ts'
import { originalService } from './kube-proxy-service.ts'

const service = 'service-AAAAAAAA-lab/web/tcp/tcp'
const external = 'external-AAAAAAAA-lab/web/tcp/tcp'

/** Text for `nft -f`: the table of a family, anew. */
export function nftablesRules(family: Family): string {
  const { clusterIp, port, nodePort, endpoints, pods, node } = originalService(family)
  const ip = family === 4 ? 'ip' : 'ip6'
  const type = family === 4 ? 'ipv4_addr' : 'ipv6_addr'
  const slots = endpoints.map(
    ({ address, port: target }, index) => `${index} : ${address} . ${target}`,
  )
  const hairpins = endpoints.map((each) => `${each.address} . ${each.address} . tcp . ${each.port}`)
  return `add table ${ip} kube-proxy
delete table ${ip} kube-proxy
table ${ip} kube-proxy {
  set cluster-ips { type ${type}; elements = { ${clusterIp} }; }
  set nodeport-ips { type ${type}; elements = { ${node} }; }
  set hairpin-connections {
    type ${type} . ${type} . inet_proto . inet_service; elements = { ${hairpins.join(', ')} };
  }
  map no-endpoint-services { type ${type} . inet_proto . inet_service : verdict; }
  map service-ips {
    type ${type} . inet_proto . inet_service : verdict
    elements = { ${clusterIp} . tcp . ${port} : goto ${service} }
  }
  map service-nodeports {
    type inet_proto . inet_service : verdict
    elements = { tcp . ${nodePort} : goto ${external} }
  }
  chain filter-input {
    type filter hook input priority 0; policy accept;
    ct state new jump service-endpoints-check
  }
  chain filter-forward {
    type filter hook forward priority 0; policy accept;
    ct state new jump service-endpoints-check
    ct state new jump cluster-ips-check
  }
  chain filter-output {
    type filter hook output priority 0; policy accept;
    ct state new jump service-endpoints-check
    ct state new jump cluster-ips-check
  }
  chain nat-prerouting { type nat hook prerouting priority -100; policy accept; jump services; }
  chain nat-output { type nat hook output priority -100; policy accept; jump services; }
  chain nat-postrouting { type nat hook postrouting priority 100; policy accept; jump masquerading; }
  chain service-endpoints-check {
    ${ip} daddr . meta l4proto . th dport vmap @no-endpoint-services
  }
  chain cluster-ips-check { ${ip} daddr @cluster-ips reject; }
  chain services {
    ${ip} daddr @cluster-ips ${ip} saddr != ${pods} meta mark set meta mark | 0x4000
    ${ip} daddr . meta l4proto . th dport vmap @service-ips
    ${ip} daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
  }
  chain masquerading {
    meta mark & 0x4000 != 0 meta mark set meta mark ^ 0x4000 masquerade fully-random
    ct status dnat ${ip} saddr . ${ip} daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random
  }
  chain ${external} { meta mark set meta mark | 0x4000; goto ${service}; }
  chain ${service} {
    meta l4proto tcp dnat ${ip} to numgen random mod ${endpoints.length} map { ${slots.join(', ')} }
  }
}
`
}
