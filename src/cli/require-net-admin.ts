import { readFileSync } from 'node:fs'
import { failure } from './cli-error.ts'

/** CAP_NET_ADMIN of include/uapi/linux/capability.h. */
const capNetAdmin = 12n

/** Throws a failure when the process may not change the network, so that nothing is started in vain. Where
 *  /proc does not tell, the kernel will. `instead` is what works without. */
export function requireNetAdmin(
  readStatus: () => string = readOwnStatus,
  instead = 'look only with --dry-run',
): void {
  const match = /^CapEff:\s*([0-9a-f]+)$/m.exec(readStatus())
  if (match === null) return
  if (((BigInt(`0x${match[1]}`) >> capNetAdmin) & 1n) === 1n) return
  throw failure(`CAP_NET_ADMIN is missing: run as root or with this capability, or ${instead}`)
}

function readOwnStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8')
  } catch {
    return ''
  }
}
