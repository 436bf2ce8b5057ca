import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { libc } from '../../src/netlink/libc.ts'

/** CLONE_NEWNET */
const networkNamespace = 0x4000_0000

/** Runs `body` with the main thread in a new network namespace (only a loopback device, up) and goes back. Its
 *  sockets and child processes live in it as well. It ends with the last of them. Needs CAP_SYS_ADMIN; one at
 *  a time, as uvu runs the tests of a file. */
export async function inFreshNamespace(body: () => Promise<void> | void): Promise<void> {
  const home = openSync('/proc/self/ns/net', 'r')
  try {
    if (libc().unshare(networkNamespace) !== 0) throw new Error(`unshare: errno ${libc().errno()}`)
    execFileSync('ip', ['link', 'set', 'lo', 'up'])
    await body()
  } finally {
    libc().setns(home, networkNamespace)
    closeSync(home)
  }
}
