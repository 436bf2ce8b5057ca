import { IpvsConnection } from '../../src/ipvs/ipvs-connection.ts'
import { type KernelState, readKernel } from '../../src/ipvs/kernel-state.ts'
import { interfaceName } from '../../src/ipvs/service-addresses.ts'
import { traceFlow } from '../../src/ipvs/trace-flow.ts'
import { HostAddresses } from '../../src/netlink/host-addresses.ts'
import { NftablesConnection } from '../../src/netlink/nftables/connection.ts'
import { RouteConnection } from '../../src/netlink/route.ts'
import { inNamespace } from './in-namespace.ts'
import type { LabMode } from './lab-mode.ts'
import type { NetworkLab } from './network-lab.ts'
import { rulesGeneration } from './nftables-mode.ts'
import { toolHindrance } from './required-tools.ts'

const tableName = 'portolan-ipvs'

/** ipvs mode: virtual servers, addresses on a dummy interface, and a table for what IPVS does not do. */
export const ipvsMode: LabMode = {
  title: 'ipvs',
  options: ['--proxy-mode', 'ipvs'],
  iptables: 'nft',
  expected: { mode: 'ipvs', way: 'dummy interface' },
  hindrance: () => toolHindrance(['ip', 'nft']) ?? missingIpvs(),
  prepare() {},
  damages: [
    { title: 'rules are flushed', command: ['nft', 'flush', 'table', 'ip', tableName] },
    { title: 'a table is deleted', command: ['nft', 'delete', 'table', 'ip6', tableName] },
    {
      title: 'an address is deleted',
      command: ['ip', 'address', 'delete', '10.96.5.1/32', 'dev', interfaceName],
    },
    { title: 'the interface is deleted', command: ['ip', 'link', 'delete', interfaceName] },
  ],
  // Its kernel is an emulated one.
  repairMs: 1_000,
  addForeignRules(lab) {
    const table = 'add table ip other; add chain ip other kept; add rule ip other kept counter'
    lab.run('node', 'nft', table)
    lab.run('node', 'ipvsadm', '-A', '-t', '192.0.2.1:80')
  },
  stamp: (lab) =>
    [
      rulesGeneration(lab),
      lab.run('node', 'ipvsadm', '-Sn'),
      lab.run('node', 'ip', '-o', 'address', 'show'),
    ].join('\n'),
  simulate(lab) {
    const state = readState(lab)
    return (flow, localAddresses) => traceFlow(state, flow, localAddresses)
  },
}

function readState(lab: NetworkLab): KernelState {
  const [ipvs, nftables, route] = inNamespace(
    lab.path('node'),
    () => [IpvsConnection.open(), NftablesConnection.open(), RouteConnection.open()] as const,
  )
  try {
    return readKernel(ipvs, nftables, new HostAddresses(route, interfaceName))
  } finally {
    for (const connection of [ipvs, nftables, route]) connection.close()
  }
}

function missingIpvs(): string | undefined {
  try {
    IpvsConnection.open().close()
    return undefined
  } catch {
    return 'needs a kernel with IPVS: test/vm boots one'
  }
}
