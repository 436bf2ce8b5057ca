import { closeSync, openSync } from 'node:fs'
import process from 'node:process'
import { libc } from '../../src/netlink/libc.ts'

/** CLONE_NEWNET */
const networkNamespace = 0x4000_0000

/** A network namespace without a name: it ends with this process and what runs in it. */
export class NetworkNamespace {
  readonly #fd: number

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** Makes an empty one; the thread stays where it is. Needs CAP_SYS_ADMIN. */
  static create(): NetworkNamespace {
    const home = openOwn()
    try {
      if (libc().unshare(networkNamespace) !== 0) {
        throw new Error(`bench: unshare failed with errno ${libc().errno()}: run as root`)
      }
      return new NetworkNamespace(openOwn())
    } finally {
      enter(home)
      closeSync(home)
    }
  }

  /** A file that stands for it, as programs of iproute2 take one; for children of this process. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.#fd}`
  }

  /** Runs `body` with the whole thread in the namespace: sockets and children that it opens stay there. What
   *  is awaited meanwhile is in it as well, so one at a time. */
  async run<T>(body: () => Promise<T> | T): Promise<T> {
    const home = openOwn()
    try {
      enter(this.#fd)
      return await body()
    } finally {
      enter(home)
      closeSync(home)
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function openOwn(): number {
  return openSync('/proc/thread-self/ns/net', 'r')
}

function enter(fd: number): void {
  if (libc().setns(fd, networkNamespace) === 0) return
  throw new Error(`bench: setns failed with errno ${libc().errno()}`)
}
