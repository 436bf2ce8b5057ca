import { loadCLibrary } from '../../src/libc/c-library.ts'
import { writeAddress } from '../../src/net/address.ts'

/** AF_INET; linux/in.h */
const internet = 2
/** SOCK_STREAM and SOCK_DGRAM, SOCK_NONBLOCK | SOCK_CLOEXEC; asm-generic/fcntl.h */
const types = { stream: 1, datagram: 2 } as const
const nonBlocking = 0o4000 | 0o2000000
/** SOL_SOCKET */
const socketLevel = 1

/** SO_REUSEADDR, SO_LINGER, SO_RCVTIMEO, SO_SNDTIMEO; asm-generic/socket.h */
export const socketOptions = {
  reuseAddress: 2,
  linger: 13,
  receiveTimeout: 20,
  sendTimeout: 21,
} as const

/** MSG_DONTWAIT */
export const dontWait = 0x40

/** System calls on sockets of IPv4. */
export interface Sockets {
  /** Throws when there is no descriptor left. */
  open(type: keyof typeof types, mode: 'blocking' | 'non-blocking'): number
  set(fd: number, option: number, value: Uint8Array): void
  /** Binds to a port of all addresses; throws when it is taken. */
  bind(fd: number, port: number): void
  /** Throws. */
  listen(fd: number, length: number): void
  /** A descriptor, or -1 when nobody waits. */
  accept(listener: number): number
  connect(fd: number, address: Uint8Array): boolean
  /** Bytes sent, or -1. */
  send(fd: number, bytes: Uint8Array): number
  /** Bytes received, or -1. */
  receive(fd: number, bytes: Uint8Array, flags: number): number
  close(fd: number): void
}

/** Finds the functions; throws outside Linux. */
export function openSockets(): Sockets {
  const { find, errno } = loadCLibrary('bench')
  const socket: (domain: number, type: number, protocol: number) => number = find(
    'int socket(int, int, int)',
  )
  const bind: SocketCall = find('int bind(int, const void *, uint32_t)')
  const connect: SocketCall = find('int connect(int, const void *, uint32_t)')
  const listen: (fd: number, length: number) => number = find('int listen(int, int)')
  const accept: (fd: number, address: null, length: null, flags: number) => number = find(
    'int accept4(int, void *, void *, int)',
  )
  const setOption: (...call: [number, number, number, Uint8Array, number]) => number = find(
    'int setsockopt(int, int, int, const void *, uint32_t)',
  )
  const send: TransferCall = find('intptr_t send(int, const void *, size_t, int)')
  const receive: TransferCall = find('intptr_t recv(int, void *, size_t, int)')
  const close: (fd: number) => number = find('int close(int)')
  const check = (result: number, what: string): number => {
    if (result < 0) throw new Error(`bench: ${what} failed with errno ${errno()}`)
    return result
  }
  return {
    open: (type, mode) =>
      check(socket(internet, types[type] | (mode === 'blocking' ? 0 : nonBlocking), 0), 'socket'),
    set: (fd, option, value) => {
      check(setOption(fd, socketLevel, option, value, value.length), `socket option ${option}`)
    },
    bind: (fd, port) => {
      const address = socketAddress('0.0.0.0', port)
      check(bind(fd, address, address.length), `bind to port ${port}`)
    },
    listen: (fd, length) => {
      check(listen(fd, length), 'listen')
    },
    accept: (listener) => accept(listener, null, null, nonBlocking),
    connect: (fd, address) => connect(fd, address, address.length) === 0,
    send: (fd, bytes) => send(fd, bytes, bytes.length, 0),
    receive: (fd, bytes, flags) => receive(fd, bytes, bytes.length, flags),
    close: (fd) => {
      close(fd)
    },
  }
}

type SocketCall = (fd: number, address: Uint8Array, length: number) => number
type TransferCall = (fd: number, bytes: Uint8Array, length: number, flags: number) => number

/** struct sockaddr_in: family in host order, port and address in network order. */
export function socketAddress(address: string, port: number): Uint8Array {
  const bytes = new Uint8Array(16)
  bytes.set(new Uint8Array(Uint16Array.of(internet).buffer))
  bytes[2] = port >> 8
  bytes[3] = port & 0xff
  writeAddress(bytes, 4, address)
  return bytes
}
