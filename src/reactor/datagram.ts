import type { SocketAddress } from './socket-address.ts'

/** Options of a UDP socket. */
export interface DatagramOptions {
  /** Local address; port 0 is any. */
  readonly address: SocketAddress
  /** Takes datagrams only from there, and sends there: `send` and `reply` then ignore addresses. */
  readonly peer?: SocketAddress
  /** SO_REUSEPORT: several sockets share the address. */
  readonly isShared?: boolean
  /** IP_TRANSPARENT, as for streams. Not portable. */
  readonly isTransparent?: boolean
  /** SO_RCVBUF and SO_SNDBUF, bytes; the system's defaults if absent. */
  readonly bufferBytes?: number
  /** A bound descriptor of this process to use instead of a new one. It is not closed with the socket. Not
   *  portable. */
  readonly descriptor?: number
}

/** A UDP socket. */
export interface DatagramSocket {
  /** The address with the port that was given. */
  readonly address: SocketAddress
  /** Sends a copy to the peer of an address record, from the local address of the record. Sends of one
   *  callback leave together after it. False: the kernel's queue is full, and the datagram is lost. */
  send(
    record: Uint8Array,
    recordOffset: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
  ): boolean
  /** Datagrams that were lost because a queue was full, ours or the kernel's. */
  readonly lostCount: number
  close(): void
}

/** Datagrams that came together, of one socket. Everything is valid only in the callback. */
export interface DatagramBatch {
  readonly count: number
  /** Holds all datagrams; must not be changed. */
  readonly bytes: Buffer
  offset(index: number): number
  /** Bytes; 0 is possible, 65,507 the most. */
  length(index: number): number
  /** Room for one answer to each datagram: 65,536 bytes from `replyOffset(index)`. */
  readonly replyBytes: Buffer
  replyOffset(index: number): number
  /** Answers datagram `index` with `length` bytes from `replyOffset(index)`: to its source, from the address
   *  it was sent to. All answers of a batch leave together after the callback. One each. */
  reply(index: number, length: number): void
  /** Copies the addresses of datagram `index` (`src/reactor/address-record.ts`): for answers that come later. Equal
   *  records are equal flows, so the bytes can be a key. */
  copyAddress(index: number, target: Uint8Array, offset: number): void
}

/** What happens on a UDP socket. */
export interface DatagramHandler {
  onBatch(socket: DatagramSocket, batch: DatagramBatch): void
  /** A connected socket learnt that nobody is there (ECONNREFUSED and the like). */
  onError(socket: DatagramSocket, errno: number): void
}
