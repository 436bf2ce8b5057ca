import { formatOwnRules } from '../../src/proxy/iptables/format-own-rules.ts'
import { readSave } from '../../src/proxy/iptables/read-save.ts'
import { simulateIptablesSave } from '../../src/proxy/simulate/simulate-iptables-save.ts'
import type { LabMode } from './lab-mode.ts'
import { rulesGeneration } from './nftables-mode.ts'
import { saveText } from './node-rules.ts'
import { toolHindrance } from './required-tools.ts'

/** iptables mode: chains with kube-proxy's names, in one of the two variants. */
export function iptablesMode(variant: 'nf_tables' | 'legacy'): LabMode {
  const infix = variant === 'nf_tables' ? 'nft' : 'legacy'
  const way = variant === 'nf_tables' ? 'netlink (nf_tables)' : 'restore (legacy)'
  const [iptables, ip6tables] = [`iptables-${infix}`, `ip6tables-${infix}`]
  return {
    title: variant === 'nf_tables' ? 'iptables' : 'iptables-legacy',
    options: ['--proxy-mode', 'iptables'],
    iptables: infix,
    expected: { mode: 'iptables', way },
    hindrance: () => toolHindrance(['ip', 'nft', iptables]),
    // The mark by which the kubelet says which variant a node uses.
    prepare(lab) {
      lab.run('node', iptables, '-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT')
    },
    damages: [
      {
        title: 'a chain is flushed',
        command: [iptables, '-t', 'nat', '-F', 'KUBE-SERVICES'],
      },
      {
        title: 'a table is flushed',
        command: [ip6tables, '-t', 'nat', '-F'],
      },
      {
        title: 'a rule of a built-in chain is deleted',
        command: [iptables, '-t', 'nat', '-D', 'PREROUTING', '1'],
      },
    ],
    // The legacy variant tells nobody of changes: its tables are looked at every second.
    repairMs: variant === 'nf_tables' ? 100 : 1_500,
    addForeignRules(lab) {
      for (const program of [iptables, ip6tables]) {
        for (const table of ['nat', 'filter']) {
          lab.run('node', program, '-t', table, '-N', 'SOMEBODY')
          lab.run('node', program, '-t', table, '-A', 'SOMEBODY', '-p', 'tcp', '--dport', '9')
          lab.run('node', program, '-t', table, '-A', 'OUTPUT', '-j', 'SOMEBODY')
        }
      }
    },
    stamp: (lab) =>
      variant === 'nf_tables'
        ? rulesGeneration(lab)
        : [4, 6].map((family) => saveText(lab, 'legacy', family === 4 ? 4 : 6)).join(''),
    simulate(lab) {
      const read = (family: 4 | 6) => {
        const text = saveText(lab, infix, family)
        return simulateIptablesSave(formatOwnRules(readSave(text, 'the node')), 'the node')
      }
      const simulations = { 4: read(4), 6: read(6) }
      return (flow, localAddresses) => simulations[flow.family].verdict(flow, localAddresses)
    },
  }
}
