import { createRequire } from 'node:module'

/** The C library of this process, and what a caller of it needs beside its functions. */
export interface CLibrary {
  /** Finds a function by its prototype. A call passes buffers in place and returns what C returns; 64-bit
   *  results come as numbers. Throws when the library does not have it. */
  find<F extends (...args: never[]) => unknown>(prototype: string): F
  /** The same for calls that take long: they run on another thread. Numbers only. */
  findAsync(prototype: string): (...args: readonly number[]) => Promise<number>
  /** Where the bytes lie. Whoever hands the address to the kernel keeps `bytes` reachable until then. */
  addressOf(bytes: Uint8Array): bigint
  /** Memory that is not JavaScript's, as long as it is mapped. */
  viewMemory(address: bigint, length: number): ArrayBuffer
  /** errno of the last call of this thread. */
  errno(): number
  /** Calls back on the event loop whenever `fd` can be read, until the returned watch is closed. */
  pollReadable(fd: number, onReadable: () => void): { close(): void }
}

let loaded: CLibrary | undefined

/** The C library, loaded at the first call; importing this file never fails. Throws outside Linux and where
 *  the FFI package does not load; `user` (`netlink`) starts the message. */
export function loadCLibrary(user: string): CLibrary {
  loaded ??= load(user)
  return loaded
}

function load(user: string): CLibrary {
  if (process.platform !== 'linux') {
    throw new Error(
      `${user}: ${process.platform} has none, only Linux does; run this command on a Linux node`,
    )
  }
  const koffi = loadKoffi(user)
  const library = koffi.load(null)
  const polls = new Set<{ close(): void }>()
  // A worker thread that ends with an open poll takes the whole process with it: the poll calls back into what
  // is gone already.
  process.once('exit', () => {
    for (const poll of polls) poll.close()
  })
  return {
    find: (prototype) => library.func(prototype) as never,
    findAsync(prototype) {
      const call = library.func(prototype)
      return (...args) =>
        new Promise((resolve, reject) => {
          call.async(...args, (error: Error | null, result: number) =>
            error === null ? resolve(result) : reject(error),
          )
        })
    },
    addressOf: (bytes) => koffi.address(bytes),
    viewMemory: (address, length) => koffi.view(address, length),
    errno: () => koffi.errno(),
    // Straight from the poll callback, promises and process.nextTick of the reader would wait for the next
    // timer or I/O event (seen: half a second); an immediate runs in the same turn of the event loop.
    pollReadable(fd, onReadable) {
      const poll = koffi.node.poll(fd, { readable: true }, () => setImmediate(onReadable))
      polls.add(poll)
      return {
        close() {
          polls.delete(poll)
          poll.close()
        },
      }
    },
  }
}

function loadKoffi(user: string): typeof import('koffi') {
  try {
    return createRequire(import.meta.url)('koffi')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(
      `${user}: the FFI package koffi does not load on ${process.platform} ${process.arch}: ${why}; ` +
        'reinstall the dependencies on this machine',
      { cause },
    )
  }
}
