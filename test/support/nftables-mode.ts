import { NftablesConnection } from '../../src/netlink/nftables/connection.ts'
import { kernelProgram } from '../../src/proxy/nftables/program.ts'
import { programVerdict } from '../../src/proxy/simulate/program-verdict.ts'
import { inNamespace } from './in-namespace.ts'
import type { LabMode } from './lab-mode.ts'
import type { NetworkLab } from './network-lab.ts'
import { toolHindrance } from './required-tools.ts'

/** nftables mode: two tables of our own. */
export const nftablesMode: LabMode = {
  title: 'nftables',
  options: ['--proxy-mode', 'nftables'],
  iptables: 'nft',
  expected: { mode: 'nftables' },
  hindrance: () => toolHindrance(['ip', 'nft']),
  prepare() {},
  damages: [
    {
      title: 'rules are flushed',
      command: ['nft', 'flush', 'table', 'ip', 'portolan'],
    },
    {
      title: 'a table is deleted',
      command: ['nft', 'delete', 'table', 'ip6', 'portolan'],
    },
    {
      title: 'a map is flushed',
      command: ['nft', 'flush', 'map', 'ip', 'portolan', 'frontends'],
    },
  ],
  repairMs: 100,
  addForeignRules(lab) {
    lab.run(
      'node',
      'nft',
      'add table ip other; add chain ip other kept; add rule ip other kept counter',
    )
  },
  stamp: rulesGeneration,
  simulate(lab) {
    const program = withNftables(lab, kernelProgram)
    return (flow, localAddresses) => programVerdict(program, flow, localAddresses)
  },
}

/** The number of the node's nf_tables rule set. */
export function rulesGeneration(lab: NetworkLab): string {
  return String(withNftables(lab, (connection) => connection.generation()))
}

function withNftables<T>(lab: NetworkLab, read: (connection: NftablesConnection) => T): T {
  const connection = inNamespace(lab.path('node'), () => NftablesConnection.open())
  try {
    return read(connection)
  } finally {
    connection.close()
  }
}
