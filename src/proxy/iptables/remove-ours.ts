import { isChainOfOursAlone } from './chain-names.ts'
import { removeProgram } from './diff-program.ts'
import type { KernelTables } from './read-save.ts'
import type { TableChanges } from './table-changes.ts'

/** kube-proxy makes this chain and watches it; a synchronisation of ours removes it. */
const canary = 'KUBE-PROXY-CANARY'

/** What has to be written so that nothing of ours is left. Where kube-proxy has written its rules since,
 *  chains whose names both use are its own: only what it does not know is removed then, and connections go
 *  on through its rules. */
export function removeOurs(kernel: KernelTables): TableChanges {
  const everything = removeProgram(kernel)
  if (!kernel.nat.has(canary)) return everything
  return {
    filled: everything.filled,
    removed: everything.removed.filter(({ name }) => isChainOfOursAlone(name)),
    hooks: everything.hooks.flatMap((hook) => {
      const remove = hook.remove.filter((line) => !isKubeProxys(hook.table, hook.chain, line))
      return remove.length === 0 ? [] : [{ ...hook, remove }]
    }),
  }
}

/** Jumps of ours to chains of kube-proxy from built-in chains where it has none (compile-structure.ts). */
const additions: ReadonlySet<string> = new Set([
  'filter INPUT KUBE-SERVICES',
  'filter OUTPUT KUBE-EXTERNAL-SERVICES',
])

function isKubeProxys(table: string, chain: string, line: string): boolean {
  const target = line.split(' ').at(-1) ?? ''
  return !isChainOfOursAlone(target) && !additions.has(`${table} ${chain} ${target}`)
}
