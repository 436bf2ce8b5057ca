import { createRequire } from 'node:module'
import { type Family, familyOf, readAddress, writeAddress } from '../../../src/net/address.ts'
import { libc } from '../../../src/netlink/libc.ts'

/** AF_INET, AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC */
const addressFamilies = { 4: 2, 6: 10 } as const
const rawNonBlocking = 3 | 0o4000 | 0o2000000

const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi')
const sendto = koffi
  .load(null)
  .func('intptr_t sendto(int, const void *, size_t, int, const void *, uint32_t)')

/** A raw IP socket: for protocols that the kernel has no sockets for, and for ICMP errors. */
export class RawSocket {
  readonly #family: Family
  readonly #fd: number
  readonly #watch: { close(): void }
  #isClosed = false

  /** Calls back with every packet's bytes behind the IP header, and its source. Needs CAP_NET_RAW. */
  constructor(
    family: Family,
    protocol: number,
    onPacket: (payload: Uint8Array, source: string) => void,
  ) {
    this.#family = family
    this.#fd = libc().socket(addressFamilies[family], rawNonBlocking, protocol)
    if (this.#fd < 0) throw new Error(`raw socket: errno ${libc().errno()}`)
    this.#watch = libc().pollReadable(this.#fd, () => this.#receive(onPacket))
  }

  /** Sends the bytes behind an IP header that the kernel makes. */
  send(payload: Uint8Array, address: string): void {
    const target = socketAddress(address)
    const sent = sendto(this.#fd, payload, payload.length, 0, target, target.length)
    if (Number(sent) >= 0) return
    const errno = libc().errno()
    throw Object.assign(new Error(`send to ${address}: errno ${errno}`), { code: errnoName(errno) })
  }

  close(): void {
    this.#isClosed = true
    this.#watch.close()
    libc().close(this.#fd)
  }

  #receive(onPacket: (payload: Uint8Array, source: string) => void): void {
    const from = new Uint8Array(28)
    const fromLength = new Uint8Array(Uint32Array.of(from.length).buffer)
    const bytes = new Uint8Array(2048)
    while (!this.#isClosed) {
      const length = Number(libc().recvfrom(this.#fd, bytes, bytes.length, 0, from, fromLength))
      if (length < 0) return
      // Raw IPv4 sockets give the IP header too, raw IPv6 sockets do not.
      const start = this.#family === 4 ? ((bytes[0] ?? 0) & 15) * 4 : 0
      const source = readAddress(from, this.#family === 4 ? 4 : 8, this.#family)
      onPacket(bytes.slice(start, length), source)
    }
  }
}

/** struct sockaddr_in (16 bytes) or sockaddr_in6 (28 bytes); the port stays zero. */
function socketAddress(address: string): Uint8Array {
  const family = familyOf(address)
  const bytes = new Uint8Array(family === 4 ? 16 : 28)
  bytes[0] = addressFamilies[family]
  writeAddress(bytes, family === 4 ? 4 : 8, address)
  return bytes
}

function errnoName(errno: number): string {
  return errno === 1 ? 'EPERM' : errno === 111 ? 'ECONNREFUSED' : `errno ${errno}`
}
