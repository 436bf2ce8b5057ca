import process from 'node:process'
import type { Test } from 'uvu'

/** Registers tests that need root (network namespaces, netlink writes). Without root each is
 *  reported as skipped with its reason; uvu itself prints none. */
export function needsRoot<T>(
  suite: Test<T>,
): (name: string, run: () => Promise<void> | void) => void {
  if (process.getuid?.() === 0) return (name, run) => suite(name, run)
  return (name, run) => {
    process.stdout.write(`# skipped: ${name}: needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN)\n`)
    suite.skip(name, run)
  }
}
