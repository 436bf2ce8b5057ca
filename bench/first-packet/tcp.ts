import { loadCLibrary } from '../../src/libc/c-library.ts'
import { writeAddress } from '../../src/net/address.ts'

/** AF_INET, SOCK_STREAM, SOCK_NONBLOCK | SOCK_CLOEXEC; linux/in.h, asm-generic/fcntl.h */
const internet = 2
const stream = 1
const nonBlocking = 0o4000 | 0o2000000
/** SOL_SOCKET with SO_REUSEADDR, SO_LINGER, SO_SNDTIMEO; asm-generic/socket.h */
const socketLevel = 1
const options = { reuseAddress: 2, linger: 13, sendTimeout: 21 } as const

const backlog = 4_096
/** A connection that takes longer counts as refused. */
const timeoutSeconds = 2

/** TCP by plain system calls: a connection is timed without the event loop in between. */
export interface Tcp {
  /** Connects from this thread's network namespace, which blocks, then ends the connection with a reset. Gives
   *  how long connect took, microseconds; undefined when there is no answer. */
  connect(address: Uint8Array): number | undefined
  /** Opens a listener on all addresses; throws when the port is taken. */
  listen(port: number): number
  /** Takes all connections that wait and closes them: the kernel answers without anybody accepting, until
   *  its queue is full. */
  drain(listener: number): void
}

/** Finds the functions; throws outside Linux. */
export function openTcp(): Tcp {
  const { find, errno } = loadCLibrary('bench')
  const socket: (domain: number, type: number, protocol: number) => number = find(
    'int socket(int, int, int)',
  )
  const connect: SocketCall = find('int connect(int, const void *, uint32_t)')
  const bind: SocketCall = find('int bind(int, const void *, uint32_t)')
  const listen: (fd: number, length: number) => number = find('int listen(int, int)')
  const accept: (fd: number, address: null, length: null, flags: number) => number = find(
    'int accept4(int, void *, void *, int)',
  )
  const setOption: (
    fd: number,
    level: number,
    name: number,
    value: Uint8Array,
    length: number,
  ) => number = find('int setsockopt(int, int, int, const void *, uint32_t)')
  const close: (fd: number) => number = find('int close(int)')
  const set = (fd: number, name: number, value: Uint8Array): number =>
    setOption(fd, socketLevel, name, value, value.length)
  const check = (result: number, what: string): number => {
    if (result < 0) throw new Error(`bench: ${what} failed with errno ${errno()}`)
    return result
  }
  return {
    connect(address) {
      const fd = check(socket(internet, stream, 0), 'socket')
      set(fd, options.linger, resetOnClose)
      set(fd, options.sendTimeout, sendTimeout)
      const start = performance.now()
      const result = connect(fd, address, address.length)
      const tookMs = performance.now() - start
      close(fd)
      return result === 0 ? tookMs * 1_000 : undefined
    },
    listen(port) {
      const fd = check(socket(internet, stream | nonBlocking, 0), 'socket')
      set(fd, options.reuseAddress, Uint8Array.of(1, 0, 0, 0))
      const address = socketAddress('0.0.0.0', port)
      check(bind(fd, address, address.length), `bind to port ${port}`)
      check(listen(fd, backlog), 'listen')
      return fd
    },
    drain(listener) {
      for (;;) {
        const fd = accept(listener, null, null, nonBlocking)
        if (fd < 0) return
        close(fd)
      }
    },
  }
}

type SocketCall = (fd: number, address: Uint8Array, length: number) => number

/** struct linger { int on, seconds }: no TIME_WAIT keeps the port. */
const resetOnClose = new Uint8Array(Int32Array.of(1, 0).buffer)
/** struct timeval; connect obeys the time limit for sending. */
const sendTimeout = new Uint8Array(BigInt64Array.of(BigInt(timeoutSeconds), 0n).buffer)

/** struct sockaddr_in: family in host order, port and address in network order. */
export function socketAddress(address: string, port: number): Uint8Array {
  const bytes = new Uint8Array(16)
  bytes.set(new Uint8Array(Uint16Array.of(internet).buffer))
  bytes[2] = port >> 8
  bytes[3] = port & 0xff
  writeAddress(bytes, 4, address)
  return bytes
}
