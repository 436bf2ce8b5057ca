import type { NetworkLab } from './network-lab.ts'

/** Both variants of iptables. */
export type IptablesInfix = 'nft' | 'legacy'

/** Everything that a proxy of ours has in the node's packet filters, of whatever mode; empty when a
 *  clean-up has done its work. */
export function ownRules(lab: NetworkLab): string {
  const tables = tablesOf(lab).filter(isOurTable)
  return [...tables.map((table) => listTable(lab, table)), ...savedLines(lab, isOurLine)].join('\n')
}

/** Everything else there, without counters. */
export function foreignRules(lab: NetworkLab): string {
  const tables = tablesOf(lab).filter((table) => !isOurTable(table) && !isTableOfIptables(table))
  const lines = savedLines(lab, (line) => !isOurLine(line) && !isEmptyTable(line))
  return [...tables.map((table) => listTable(lab, table)), ...lines].join('\n')
}

/** All rules there are, in an order that does not depend on who wrote first. */
export function allRules(lab: NetworkLab): string {
  return `${ownRules(lab)}\n${foreignRules(lab)}`.split('\n').sort().join('\n')
}

/** What `iptables-save` or `ip6tables-save` of a variant prints of the node, without its remarks (they
 *  have the time) and counters. */
export function saveText(lab: NetworkLab, infix: IptablesInfix, family: 4 | 6): string {
  const program = `${family === 4 ? 'iptables' : 'ip6tables'}-${infix}-save`
  return lab
    .run('node', program)
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/ \[[0-9]+:[0-9]+\]$/gm, ' [0:0]')
}

function tablesOf(lab: NetworkLab): readonly string[] {
  const text = lab.run('node', 'nft', 'list', 'tables')
  return [...text.matchAll(/^table (.+)$/gm)].map(([, name = '']) => name)
}

function isOurTable(table: string): boolean {
  return / portolan(-|$)/.test(table)
}

/** Tables that iptables makes in nf_tables; it prints them itself. */
function isTableOfIptables(table: string): boolean {
  return /^ip6? (?:filter|nat|mangle|raw|security)$/.test(table)
}

function listTable(lab: NetworkLab, table: string): string {
  return lab.run('node', 'nft', '-s', 'list', 'table', ...table.split(' '))
}

/** A chain of a service proxy, or a rule in one or to one. The kubelet's have similar names. */
function isOurLine(line: string): boolean {
  return /KUBE-(?!FIREWALL|KUBELET-CANARY|IPTABLES-HINT)/.test(line)
}

/** Lines that are there whether or not anybody has rules. */
function isEmptyTable(line: string): boolean {
  return line === '' || line === 'COMMIT' || /^\*|^:[A-Z]+ ACCEPT /.test(line)
}

function savedLines(lab: NetworkLab, matches: (line: string) => boolean): readonly string[] {
  return (['nft', 'legacy'] as const).flatMap((infix) =>
    ([4, 6] as const).flatMap((family) =>
      saveText(lab, infix, family)
        .split('\n')
        .filter(matches)
        .map((line) => `${infix} ${family} ${line}`),
    ),
  )
}
