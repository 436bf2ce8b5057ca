import type { Family } from '../../net/address.ts'
import { runProgram } from '../iptables/run-program.ts'
import { removalOfChains } from './removal-of-chains.ts'

/** Both variants of iptables, as the names of their programs have them. */
type Variant = 'nft' | 'legacy'

/** Removes the chains of kube-proxy in both variants of iptables and both families, and returns how many
 *  there were. A variant that is not installed has none. Rejects with what a program said. */
export async function removeChains(): Promise<number> {
  let count = 0
  for (const variant of ['nft', 'legacy'] as const) {
    for (const family of [4, 6] as const) count += await removeFamily(variant, family)
  }
  return count
}

async function removeFamily(variant: Variant, family: Family): Promise<number> {
  const program = `${family === 4 ? 'iptables' : 'ip6tables'}-${variant}`
  const { text, chainCount } = removalOfChains(await save(`${program}-save`))
  if (text !== '') await runProgram(`${program}-restore`, ['--noflush', '--wait=5'], () => [text])
  return chainCount
}

async function save(program: string): Promise<string> {
  try {
    return await runProgram(program, [])
  } catch (error) {
    if (error instanceof Error && isMissing(error.cause)) return ''
    throw error
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
}
