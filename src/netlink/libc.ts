import { loadCLibrary } from '../libc/c-library.ts'

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
  const { find, addressOf, errno, pollReadable } = loadCLibrary('netlink')
  return {
    socket: find('int socket(int, int, int)'),
    bind: find('int bind(int, const void *, uint32_t)'),
    getsockname: find('int getsockname(int, void *, void *)'),
    setsockopt: find('int setsockopt(int, int, int, const void *, uint32_t)'),
    send: find('intptr_t send(int, const void *, size_t, int)'),
    recvfrom: find('intptr_t recvfrom(int, void *, size_t, int, void *, void *)'),
    setns: find('int setns(int, int)'),
    unshare: find('int unshare(int)'),
    close: find('int close(int)'),
    addressOf,
    trimHeap: optional(() => find('int malloc_trim(size_t)')),
    errno,
    pollReadable,
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
