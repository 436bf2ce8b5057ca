import type { Family } from '../../src/net/address.ts'
import { endpointChainName, portChainName } from '../../src/proxy/iptables/chain-names.ts'
import { formatBackend } from '../../src/proxy/port/verdict.ts'
import { originalService } from './kube-proxy-service.ts'

const identity = { service: 'lab/web', portName: 'tcp', protocol: 'TCP' } as const
const title = 'lab/web:tcp'
const service = portChainName('SVC', identity)
const external = portChainName('EXT', identity)

/** A jump from a built-in chain: table, chain, and the rest of the rule for a shell. */
type Jump = readonly [table: 'nat' | 'filter', chain: string, rule: string]

const fresh = '-m conntrack --ctstate NEW '
const to = (chain: string, comment: string, matches = ''): string =>
  `${matches}-m comment --comment "${comment}" -j ${chain}`

const jumps: readonly Jump[] = [
  [
    'filter',
    'INPUT',
    to('KUBE-EXTERNAL-SERVICES', 'kubernetes externally-visible service portals', fresh),
  ],
  [
    'filter',
    'FORWARD',
    to('KUBE-EXTERNAL-SERVICES', 'kubernetes externally-visible service portals', fresh),
  ],
  ['filter', 'INPUT', to('KUBE-NODEPORTS', 'kubernetes health check service ports')],
  ['filter', 'FORWARD', to('KUBE-SERVICES', 'kubernetes service portals', fresh)],
  ['filter', 'OUTPUT', to('KUBE-SERVICES', 'kubernetes service portals', fresh)],
  ['filter', 'FORWARD', to('KUBE-FORWARD', 'kubernetes forwarding rules')],
  ['filter', 'INPUT', to('KUBE-PROXY-FIREWALL', 'kubernetes load balancer firewall', fresh)],
  ['filter', 'OUTPUT', to('KUBE-PROXY-FIREWALL', 'kubernetes load balancer firewall', fresh)],
  ['filter', 'FORWARD', to('KUBE-PROXY-FIREWALL', 'kubernetes load balancer firewall', fresh)],
  ['nat', 'OUTPUT', to('KUBE-SERVICES', 'kubernetes service portals')],
  ['nat', 'PREROUTING', to('KUBE-SERVICES', 'kubernetes service portals')],
  ['nat', 'POSTROUTING', to('KUBE-POSTROUTING', 'kubernetes postrouting rules')],
]

/** Text for iptables-restore --noflush, and the jumps that lead to its chains. */
export function iptablesRules(family: Family): {
  readonly chains: string
  readonly jumps: readonly Jump[]
} {
  const { endpoints } = originalService(family)
  const chains = endpoints.map((each) => endpointChainName(identity, each.address, each.port))
  const text = `*mangle
:KUBE-PROXY-CANARY - [0:0]
COMMIT
*filter
${declare('KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-FORWARD', 'KUBE-NODEPORTS')}
${declare('KUBE-PROXY-FIREWALL', 'KUBE-PROXY-CANARY')}
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
${declare('KUBE-SERVICES', 'KUBE-NODEPORTS', 'KUBE-MARK-MASQ', 'KUBE-POSTROUTING')}
${declare('KUBE-PROXY-CANARY', service, external, ...chains)}
${natRules(family, chains).join('\n')}
`
  return { chains: text, jumps }
}

/** The rest of a synchronisation: chains of services that are there and have no service any more. */
export function staleChains(saved: string): string {
  const [, nat = ''] = /\*nat\n([^*]*)COMMIT/.exec(saved) ?? []
  const names = [...nat.matchAll(/^:(KUBE-(?:SVC|SVL|EXT|FW|SEP)-\S+)/gm)].map(
    ([, name = '']) => name,
  )
  const kept = ([4, 6] as const).flatMap((family) =>
    originalService(family).endpoints.map((each) =>
      endpointChainName(identity, each.address, each.port),
    ),
  )
  const stale = names.filter((name) => ![service, external, ...kept].includes(name))
  const lines = [...stale.map((name) => `:${name} - [0:0]`), ...stale.map((name) => `-X ${name}`)]
  return `${lines.map((line) => `${line}\n`).join('')}COMMIT\n`
}

function declare(...names: readonly string[]): string {
  return names.map((name) => `:${name} - [0:0]`).join('\n')
}

function natRules(family: Family, chains: readonly string[]): readonly string[] {
  const { clusterIp, port, nodePort, endpoints, pods } = originalService(family)
  const length = family === 4 ? 32 : 128
  const toService = `-d ${clusterIp}/${length} -p tcp -m comment --comment "${title} cluster IP" -m tcp --dport ${port}`
  const last = 'kubernetes service nodeports; NOTE: this must be the last rule in this chain'
  return [
    `-A KUBE-SERVICES ${toService} -j ${service}`,
    `-A KUBE-SERVICES -m comment --comment "${last}" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`,
    `-A KUBE-NODEPORTS -p tcp -m comment --comment ${title} -m tcp --dport ${nodePort} -j ${external}`,
    `-A ${external} -m comment --comment "masquerade traffic for ${title} external destinations" -j KUBE-MARK-MASQ`,
    `-A ${external} -j ${service}`,
    `-A ${service} ! -s ${pods} ${toService} -j KUBE-MARK-MASQ`,
    ...chains.flatMap((chain, index) => {
      const { address, port: target } = endpoints[index] ?? { address: '', port: 0 }
      const backend = formatBackend(address, target)
      const share = (1 / (chains.length - index)).toFixed(11)
      const chance =
        index === chains.length - 1 ? '' : `-m statistic --mode random --probability ${share} `
      return [
        `-A ${service} -m comment --comment "${title} -> ${backend}" ${chance}-j ${chain}`,
        `-A ${chain} -s ${address}/${length} -m comment --comment ${title} -j KUBE-MARK-MASQ`,
        `-A ${chain} -p tcp -m comment --comment ${title} -m tcp -j DNAT --to-destination ${backend}`,
      ]
    }),
    '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
    '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
    '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
    '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
  ]
}
