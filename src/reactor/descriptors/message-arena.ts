import { type Pointer, systemCalls, writePointer } from './system-calls.ts'

/** Messages of one recvmmsg or sendmmsg at most. */
export const messagesAtOnce = 64

/** Room for the bytes of a message: a UDP datagram has at most 65,507. */
export const messageRoom = 65_536

/** An odd number of cache lines apart, so that the starts of all do not fall into the same sets of the
 *  processor's cache. */
const byteStride = messageRoom + 64

/** struct mmsghdr, 64 bytes on x64 and arm64, sys/socket.h:
 *
 *      [name:8][name length:4][-:4][iov:8][iov count:8][control:8][control length:8][flags:4][-:4][length:4][-:4]
 *
 *  Offsets here are in words of 4 bytes. */
const header = {
  words: 16,
  name: 0,
  nameLength: 2,
  iov: 4,
  iovCount: 6,
  control: 8,
  controlLength: 10,
  flags: 12,
  length: 14,
} as const

/** Rooms of a message beside its bytes, in bytes: struct iovec, sockaddr_in6 (28), one control message (40). */
const headerRoom = 64
const iovRoom = 16
const nameRoom = 32
const controlRoom = 64
const headRoom = headerRoom + iovRoom + nameRoom + controlRoom

/** Memory for messages as recvmmsg(2) and sendmmsg(2) want them: headers one after the other, and for each one
 *  place for an address, control data and bytes. */
export class MessageArena {
  readonly memory: Buffer
  readonly #words: Int32Array
  readonly #address: Pointer

  constructor() {
    // Pages are real only once they were written to.
    this.memory = Buffer.allocUnsafeSlow(messagesAtOnce * (headRoom + byteStride))
    this.memory.fill(0, 0, messagesAtOnce * headRoom)
    this.#words = new Int32Array(this.memory.buffer, 0, (messagesAtOnce * headRoom) / 4)
    this.#address = systemCalls().pointerTo(this.memory)
    for (let index = 0; index < messagesAtOnce; index++) {
      const at = index * header.words
      writePointer(this.#words, at + header.iov, this.#address + iovOffset(index))
      this.#words[at + header.iovCount] = 1
    }
  }

  /** Of the first header, for the kernel. */
  get address(): Pointer {
    return this.#address
  }

  headerAddress(index: number): Pointer {
    return this.#address + index * headerRoom
  }

  /** Where the address of a message lies in `memory`. */
  nameOffset(index: number): number {
    return messagesAtOnce * (headerRoom + iovRoom) + index * nameRoom
  }

  /** Where the control data of a message lies in `memory`. */
  controlOffset(index: number): number {
    return messagesAtOnce * (headerRoom + iovRoom + nameRoom) + index * controlRoom
  }

  /** Where the bytes of a message lie in `memory`. */
  bytesOffset(index: number): number {
    return messagesAtOnce * headRoom + index * byteStride
  }

  /** Where a place of `memory` lies for the kernel. */
  addressAt(offset: number): Pointer {
    return this.#address + offset
  }

  /** Offers all room of a message to recvmmsg, which writes what it used over it. */
  offer(index: number): void {
    this.setName(index, this.addressAt(this.nameOffset(index)), nameRoom)
    this.setControl(index, this.addressAt(this.controlOffset(index)), controlRoom)
    this.setBytes(index, this.addressAt(this.bytesOffset(index)), messageRoom)
  }

  /** Offers a message again of which only lengths have changed. */
  offerAgain(index: number): void {
    const at = index * header.words
    this.#words[at + header.nameLength] = nameRoom
    this.#words[at + header.controlLength] = controlRoom
  }

  setName(index: number, address: Pointer, length: number): void {
    const at = index * header.words
    writePointer(this.#words, at + header.name, length === 0 ? 0 : address)
    this.#words[at + header.nameLength] = length
  }

  setControl(index: number, address: Pointer, length: number): void {
    const at = index * header.words
    writePointer(this.#words, at + header.control, length === 0 ? 0 : address)
    this.#words[at + header.controlLength] = length
  }

  setBytes(index: number, address: Pointer, length: number): void {
    const at = iovOffset(index) / 4
    writePointer(this.#words, at, address)
    this.#words[at + 2] = length
    this.#words[at + 3] = 0
  }

  /** Bytes that recvmmsg has received. */
  lengthOf(index: number): number {
    return this.#words[index * header.words + header.length] ?? 0
  }

  nameLengthOf(index: number): number {
    return this.#words[index * header.words + header.nameLength] ?? 0
  }

  controlLengthOf(index: number): number {
    return this.#words[index * header.words + header.controlLength] ?? 0
  }
}

function iovOffset(index: number): number {
  return messagesAtOnce * headerRoom + index * iovRoom
}
