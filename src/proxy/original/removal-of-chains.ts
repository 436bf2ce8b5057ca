import { isOriginalChain, type OriginalTable, originalTables } from './original-chains.ts'

/** What takes kube-proxy's chains out of the tables of one family. */
export interface Removal {
  /** For `iptables-restore --noflush`; empty: there is nothing of kube-proxy. */
  readonly text: string
  /** Chains that go. */
  readonly chainCount: number
}

/** Plans the removal from what iptables-save printed: kube-proxy's chains, and the rules of built-in chains
 *  that lead to them. Rules of others that lead to a chain of kube-proxy keep the kernel from deleting it,
 *  as they do for kube-proxy's own clean-up. */
export function removalOfChains(saved: string): Removal {
  const texts: string[] = []
  let chainCount = 0
  for (const table of originalTables) {
    const lines = linesOf(saved, table)
    const builtIn = new Set(lines.filter(isBuiltIn).map(chainOf))
    const chains = lines
      .filter((line) => line[0] === ':')
      .map(chainOf)
      .filter((name) => isOriginalChain(table, name))
    if (chains.length === 0) continue
    const gone = new Set(chains)
    const jumps = lines.filter((line) => builtIn.has(ruleOwner(line)) && gone.has(targetOf(line)))
    texts.push(
      `*${table}`,
      // To declare a chain empties it.
      ...chains.map((name) => `:${name} - [0:0]`),
      ...jumps.map((line) => `-D${line.slice(2)}`),
      ...chains.map((name) => `-X ${name}`),
      'COMMIT\n',
    )
    chainCount += chains.length
  }
  return { text: texts.join('\n'), chainCount }
}

function linesOf(saved: string, table: OriginalTable): readonly string[] {
  const lines = saved.split('\n')
  const start = lines.indexOf(`*${table}`)
  return start < 0 ? [] : lines.slice(start + 1, lines.indexOf('COMMIT', start))
}

/** `:INPUT ACCEPT [0:0]` has a policy, `:KUBE-FORWARD - [0:0]` has none. */
function isBuiltIn(line: string): boolean {
  return /^:\S+ [A-Z]/.test(line)
}

function chainOf(line: string): string {
  return line.slice(1).split(' ')[0] ?? ''
}

function ruleOwner(line: string): string {
  return line.startsWith('-A ') ? (line.split(' ')[1] ?? '') : ''
}

function targetOf(line: string): string {
  return / -[jg] (\S+)\s*$/.exec(line)?.[1] ?? ''
}
