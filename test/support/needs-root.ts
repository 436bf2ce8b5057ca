import process from 'node:process'
import type { Test } from 'uvu'
import { findBinary } from '../../scripts/support/find-binary.ts'

/** Registers tests that need root (network namespaces, netlink writes) and the programs named.
 *  Without them each is reported as skipped with its reason; uvu itself prints none. */
export function needsRoot<T>(
  suite: Test<T>,
  binaries: readonly string[] = ['ip', 'nft', 'unshare'],
): (name: string, run: () => Promise<void> | void) => void {
  const why = hindrance(binaries)
  if (why === undefined) return (name, run) => suite(name, run)
  return (name, run) => {
    process.stdout.write(`# skipped: ${name}: ${why}\n`)
    suite.skip(name, run)
  }
}

function hindrance(binaries: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN)'
  const missing = binaries.filter((binary) => findBinary(binary) === undefined)
  return missing.length === 0 ? undefined : `needs the program ${missing.join(', ')}`
}
