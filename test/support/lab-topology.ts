/** Namespaces of the lab. Pods a and b run on the node, pod c behind the second node. */
export const labNamespaces = ['node', 'pod-a', 'pod-b', 'second-node', 'pod-c', 'outside'] as const

/** The short name of a namespace of the lab; its real name is unique to the lab. */
export type LabNamespace = (typeof labNamespaces)[number]

/** One set of addresses for each family; the outside host has a second one for source ranges. */
export const labAddresses = {
  4: {
    node: '192.168.77.1',
    secondNode: '192.168.77.2',
    outside: '192.168.77.100',
    outsideOther: '192.168.77.102',
    podGateway: '10.244.1.1',
    podA: '10.244.1.2',
    podB: '10.244.1.3',
    podC: '10.244.2.2',
    podCGateway: '10.244.2.1',
    nodePods: '10.244.1.0/24',
    secondNodePods: '10.244.2.0/24',
    clusterRange: '10.96.0.0/16',
    loadBalancers: '203.0.113.0/24',
  },
  6: {
    node: 'fd00:77::1',
    secondNode: 'fd00:77::2',
    outside: 'fd00:77::100',
    outsideOther: 'fd00:77::102',
    podGateway: 'fd00:244:1::1',
    podA: 'fd00:244:1::2',
    podB: 'fd00:244:1::3',
    podC: 'fd00:244:2::2',
    podCGateway: 'fd00:244:2::1',
    nodePods: 'fd00:244:1::/64',
    secondNodePods: 'fd00:244:2::/64',
    clusterRange: 'fd00:10:96::/112',
    loadBalancers: 'fd00:203::/64',
  },
} as const

/** Commands for `ip -batch`, per namespace. `name` gives the real name of a namespace. */
export function topologyCommands(
  name: (namespace: LabNamespace) => string,
): readonly (readonly [LabNamespace, readonly string[]])[] {
  const peer = (link: string, namespace: LabNamespace): string =>
    `link add ${link} type veth peer name eth0 netns ${name(namespace)}`
  return [
    [
      'outside',
      [
        'link add br0 type bridge',
        peer('to-node', 'node'),
        peer('to-second', 'second-node'),
        'link set to-node master br0 up',
        'link set to-second master br0 up',
        ...up('br0'),
        ...both((a) => [
          `addr add ${onLink(a.outside)} dev br0 ${noDetection(a.outside)}`,
          // Never chosen by itself.
          `addr add ${onLink(a.outsideOther)} dev br0 ${noDetection(a.outsideOther)} preferred_lft 0`,
          `route add ${a.nodePods} via ${a.node}`,
          `route add ${a.secondNodePods} via ${a.secondNode}`,
          `route add ${a.clusterRange} via ${a.node}`,
          `route add ${a.loadBalancers} via ${a.node}`,
        ]),
      ],
    ],
    [
      'node',
      [
        peer('pod-a', 'pod-a'),
        peer('pod-b', 'pod-b'),
        ...up('eth0', 'pod-a', 'pod-b'),
        ...both((a) => [
          `addr add ${onLink(a.node)} dev eth0 ${noDetection(a.node)}`,
          `addr add ${alone(a.podGateway)} dev pod-a ${noDetection(a.podGateway)}`,
          `addr add ${alone(a.podGateway)} dev pod-b ${noDetection(a.podGateway)}`,
          `route add ${alone(a.podA)} dev pod-a`,
          `route add ${alone(a.podB)} dev pod-b`,
          `route add ${a.secondNodePods} via ${a.secondNode}`,
          `route add default via ${a.outside}`,
        ]),
      ],
    ],
    [
      'second-node',
      [
        peer('pod-c', 'pod-c'),
        ...up('eth0', 'pod-c'),
        ...both((a) => [
          `addr add ${onLink(a.secondNode)} dev eth0 ${noDetection(a.secondNode)}`,
          `addr add ${alone(a.podCGateway)} dev pod-c ${noDetection(a.podCGateway)}`,
          `route add ${alone(a.podC)} dev pod-c`,
          `route add default via ${a.node}`,
        ]),
      ],
    ],
    ['pod-a', pod('podA', 'podGateway')],
    ['pod-b', pod('podB', 'podGateway')],
    ['pod-c', pod('podC', 'podCGateway')],
  ]
}

type Addresses = (typeof labAddresses)[4 | 6]

function both(commands: (addresses: Addresses) => readonly string[]): string[] {
  return [...commands(labAddresses[4]), ...commands(labAddresses[6])]
}

function up(...links: readonly string[]): string[] {
  return ['lo', ...links].map((link) => `link set ${link} up`)
}

function pod(address: keyof Addresses, gateway: keyof Addresses): string[] {
  return [
    ...up('eth0'),
    ...both((a) => [
      `addr add ${alone(a[address])} dev eth0 ${noDetection(a[address])}`,
      `route add ${alone(a[gateway])} dev eth0`,
      `route add default via ${a[gateway]} dev eth0`,
    ]),
  ]
}

function onLink(address: string): string {
  return `${address}/${address.includes(':') ? 64 : 24}`
}

function alone(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`
}

/** Without duplicate detection an IPv6 address can be used at once. */
function noDetection(address: string): string {
  return address.includes(':') ? 'nodad' : ''
}
