import { type CLibrary, loadCLibrary } from '../../libc/c-library.ts'

/** A pointer as a number: addresses of user space have 47 bits (48 on arm64), a double holds 53. */
export type Pointer = number

/** The functions of the C library that descriptors need. After -1, `errno()` tells why. Small arguments are
 *  handed over as bytes, what lies in an arena as its address. */
export interface SystemCalls {
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  listen(fd: number, backlog: number): number
  connect(fd: number, address: Uint8Array, length: number): number
  accept4(fd: number, address: null, length: null, flags: number): number
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number
  getpeername(fd: number, address: Uint8Array, length: Uint8Array): number
  /** if_nametoindex(3); 0: there is no such interface. */
  interfaceIndex(name: string): number
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array): number
  recv(fd: number, bytes: Pointer, length: number, flags: number): number
  send(fd: number, bytes: Pointer, length: number, flags: number): number
  sendmsg(fd: number, message: Pointer, flags: number): number
  recvmmsg(fd: number, messages: Pointer, count: number, flags: number, timeout: Pointer): number
  sendmmsg(fd: number, messages: Pointer, count: number, flags: number): number
  shutdown(fd: number, how: number): number
  close(fd: number): number
  epollCreate(flags: number): number
  epollControl(fd: number, operation: number, target: number, event: Uint8Array): number
  epollWait(fd: number, events: Pointer, count: number, timeoutMs: number): number
  eventfd(count: number, flags: number): number
  read(fd: number, bytes: Uint8Array, length: number): number
  fcntl(fd: number, command: number, argument: number): number
  mmap(
    at: Pointer,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): Pointer
  munmap(at: Pointer, length: number): number
  /** syscall(2): io_uring has no functions in the C library. */
  syscall(
    number: number,
    a: number,
    b: Pointer,
    c: Pointer,
    d: number,
    e: Pointer,
    f: number,
  ): number
  errno(): number
  viewMemory: CLibrary['viewMemory']
  /** The address of bytes that the caller keeps reachable as long as it is used. */
  pointerTo(bytes: Uint8Array): Pointer
  pollReadable: CLibrary['pollReadable']
}

/** Writes a pointer into a structure of the kernel's, at a word of 4 bytes (little-endian). */
export function writePointer(words: Int32Array, word: number, address: Pointer): void {
  // Storing keeps the lower 32 bits.
  words[word] = address
  words[word + 1] = Math.floor(address / 2 ** 32)
}

let loaded: SystemCalls | undefined

/** Loads them at the first call. Throws outside Linux and where the FFI package does not load. */
export function systemCalls(): SystemCalls {
  loaded ??= load()
  return loaded
}

function load(): SystemCalls {
  const { find, addressOf, errno, viewMemory, pollReadable } = loadCLibrary('reactor')
  return {
    socket: find('int socket(int, int, int)'),
    bind: find('int bind(int, const void *, uint32_t)'),
    listen: find('int listen(int, int)'),
    connect: find('int connect(int, const void *, uint32_t)'),
    accept4: find('int accept4(int, void *, void *, int)'),
    getsockname: find('int getsockname(int, void *, void *)'),
    getpeername: find('int getpeername(int, void *, void *)'),
    interfaceIndex: find('uint32_t if_nametoindex(const char *)'),
    setsockopt: find('int setsockopt(int, int, int, const void *, uint32_t)'),
    getsockopt: find('int getsockopt(int, int, int, void *, void *)'),
    recv: find('intptr_t recv(int, intptr_t, size_t, int)'),
    send: find('intptr_t send(int, intptr_t, size_t, int)'),
    sendmsg: find('intptr_t sendmsg(int, intptr_t, int)'),
    recvmmsg: find('int recvmmsg(int, intptr_t, uint32_t, int, intptr_t)'),
    sendmmsg: find('int sendmmsg(int, intptr_t, uint32_t, int)'),
    shutdown: find('int shutdown(int, int)'),
    close: find('int close(int)'),
    epollCreate: find('int epoll_create1(int)'),
    epollControl: find('int epoll_ctl(int, int, int, void *)'),
    epollWait: find('int epoll_wait(int, intptr_t, int, int)'),
    eventfd: find('int eventfd(uint32_t, int)'),
    read: find('intptr_t read(int, void *, size_t)'),
    fcntl: find('int fcntl(int, int, int)'),
    mmap: find('intptr_t mmap(intptr_t, size_t, int, int, int, intptr_t)'),
    munmap: find('int munmap(intptr_t, size_t)'),
    syscall: find(
      'intptr_t syscall(intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t)',
    ),
    errno,
    viewMemory,
    pointerTo: (bytes) => Number(addressOf(bytes)),
    pollReadable,
  }
}
