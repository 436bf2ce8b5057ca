import { closeSync, openSync } from 'node:fs'
import { libc } from './libc.ts'
import { systemCallError } from './netlink-error.ts'

/** CLONE_NEWNET */
const networkNamespace = 0x4000_0000

/** Runs `body` with this thread in another network namespace (a file such as `/proc/1/ns/net` or
 *  `/run/netns/blue`) and comes back. Sockets opened meanwhile stay in it. Needs CAP_SYS_ADMIN. `body` is
 *  synchronous because the whole thread is moved. */
export function inNetworkNamespace<T>(path: string, body: () => T): T {
  const home = openSync('/proc/thread-self/ns/net', 'r')
  try {
    const target = openSync(path, 'r')
    try {
      enter(target, path)
    } finally {
      closeSync(target)
    }
    try {
      return body()
    } finally {
      enter(home, 'the namespace it came from')
    }
  } finally {
    closeSync(home)
  }
}

function enter(fd: number, path: string): void {
  if (libc().setns(fd, networkNamespace) === 0) return
  throw systemCallError('network namespace', `enter ${path}`, libc().errno())
}
