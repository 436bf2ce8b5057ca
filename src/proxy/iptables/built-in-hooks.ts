import type { Hook } from '../../netlink/nftables/objects.ts'
import type { TableName } from './rule.ts'

/** The built-in chains of iptables as base chains, as its nf_tables variant makes them. Their policy is to
 *  accept; one that is there keeps its own. */
export const builtInHooks: Readonly<Record<TableName, Readonly<Record<string, Hook>>>> = {
  filter: {
    INPUT: { type: 'filter', hook: 'input', priority: 0 },
    FORWARD: { type: 'filter', hook: 'forward', priority: 0 },
    OUTPUT: { type: 'filter', hook: 'output', priority: 0 },
  },
  nat: {
    PREROUTING: { type: 'nat', hook: 'prerouting', priority: -100 },
    INPUT: { type: 'nat', hook: 'input', priority: 100 },
    OUTPUT: { type: 'nat', hook: 'output', priority: -100 },
    POSTROUTING: { type: 'nat', hook: 'postrouting', priority: 100 },
  },
}
