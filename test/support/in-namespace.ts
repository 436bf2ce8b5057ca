import { closeSync, openSync } from 'node:fs'
import { libc } from '../../src/netlink/libc.ts'

/** CLONE_NEWNET */
const networkNamespace = 0x4000_0000

/** Runs `body` with the main thread in another network namespace (a file under /run/netns) and goes back.
 *  Sockets opened meanwhile stay in it. `body` is synchronous because the whole thread is moved. */
export function inNamespace<T>(path: string, body: () => T): T {
  const home = openSync('/proc/self/ns/net', 'r')
  try {
    enter(path)
    return body()
  } finally {
    libc().setns(home, networkNamespace)
    closeSync(home)
  }
}

function enter(path: string): void {
  const target = openSync(path, 'r')
  try {
    if (libc().setns(target, networkNamespace) === 0) return
    throw new Error(`namespace ${path}: cannot be entered, errno ${libc().errno()}`)
  } finally {
    closeSync(target)
  }
}
