import { createRequire } from 'node:module'

/** The functions of the C library that netlink needs. Each returns what the C function returns;
 *  after -1, `errno()` tells why. Buffers are handed over in place: never shorter than `length`. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number
  recvfrom(
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: Uint8Array,
  ): number
  setns(fd: number, kind: number): number
  unshare(flags: number): number
  close(fd: number): number
  /** Where the bytes lie. Whoever hands the address to the kernel keeps `bytes` reachable until then. */
  addressOf(bytes: Uint8Array): bigint
  /** Gives what was freed back to the system; musl has no such function and does it by itself. */
  trimHeap(): void
  /** errno of the last call of this thread. */
  errno(): number
  /** Calls back on the event loop whenever `fd` can be read, until the returned watch is closed. */
  pollReadable(fd: number, onReadable: () => void): { close(): void }
}

let loaded: Libc | undefined

/** The C library, loaded at the first call. Throws where netlink does not exist (only Linux has it) or
 *  where the FFI package does not load; importing this file never does. */
export function libc(): Libc {
  loaded ??= load()
  return loaded
}

function load(): Libc {
  if (process.platform !== 'linux') {
    throw new Error(
      `netlink: ${process.platform} has none, only Linux does; run this command on a Linux node`,
    )
  }
  const koffi = loadKoffi()
  const library = koffi.load(null)
  return {
    socket: library.func('int socket(int, int, int)'),
    bind: library.func('int bind(int, const void *, uint32_t)'),
    getsockname: library.func('int getsockname(int, void *, void *)'),
    setsockopt: library.func('int setsockopt(int, int, int, const void *, uint32_t)'),
    send: library.func('intptr_t send(int, const void *, size_t, int)'),
    recvfrom: library.func('intptr_t recvfrom(int, void *, size_t, int, void *, void *)'),
    setns: library.func('int setns(int, int)'),
    unshare: library.func('int unshare(int)'),
    close: library.func('int close(int)'),
    addressOf: (bytes) => koffi.address(bytes),
    trimHeap: optional(() => library.func('int malloc_trim(size_t)')),
    errno: () => koffi.errno(),
    // Straight from the poll callback, promises and process.nextTick of the reader would wait for the next
    // timer or I/O event (seen: half a second); an immediate runs in the same turn of the event loop.
    pollReadable: (fd, onReadable) =>
      koffi.node.poll(fd, { readable: true }, () => setImmediate(onReadable)),
  }
}

/** Calls a function with 0 if the C library has it. */
function optional(find: () => (argument: number) => number): () => void {
  let found: ((argument: number) => number) | undefined
  try {
    found = find()
  } catch {
    // The library does not have it.
  }
  return () => {
    found?.(0)
  }
}

function loadKoffi(): typeof import('koffi') {
  try {
    return createRequire(import.meta.url)('koffi')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(
      `netlink: the FFI package koffi does not load on ${process.platform} ${process.arch}: ${why}; ` +
        'reinstall the dependencies on this machine',
      { cause },
    )
  }
}
