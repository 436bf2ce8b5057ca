import { readFileSync } from 'node:fs'
import { hasChain } from '../../netlink/nftables/has-object.ts'
import { roots } from './compile-structure.ts'
import { runProgram } from './run-program.ts'

/** A chain of every program of ours that kube-proxy does not have. */
const { table, chain } = roots.refusedPorts

/** Whether rules of this mode, and not only kube-proxy's, are in the kernel, in either variant. */
export async function hasIptablesRules(): Promise<boolean> {
  if (hasChain('ip', table, chain)) return true
  if (!isLegacyTableInUse()) return false
  const text = await runProgram('iptables-legacy-save', ['-t', table]).catch(() => '')
  return text.includes(`:${chain} `)
}

/** The legacy program makes tables by looking at them: only those that are there may be asked for. */
function isLegacyTableInUse(): boolean {
  try {
    return readFileSync('/proc/self/net/ip_tables_names', 'utf8').split('\n').includes(table)
  } catch {
    return false
  }
}
