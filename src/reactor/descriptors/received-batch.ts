import { addressRecordBytes } from '../address-record.ts'
import type { DatagramBatch } from '../datagram.ts'
import { poison } from '../reactor-options.ts'
import { MessageArena, messageRoom, messagesAtOnce } from './message-arena.ts'
import { answerThroughRouting, readPacketInfo, readPeerName } from './packet-info.ts'
import type { Pointer } from './system-calls.ts'

/** What recvmmsg has brought, with the answers to it. One serves all sockets of a reactor, one after the other. */
export class ReceivedBatch implements DatagramBatch {
  readonly #received = new MessageArena()
  /** The first `answerCount` of it are answers that wait. */
  readonly answers = new MessageArena()
  readonly #isChecked: boolean
  count = 0
  answerCount = 0
  #isConnected = false

  constructor(isChecked: boolean) {
    this.#isChecked = isChecked
    for (let index = 0; index < messagesAtOnce; index++) this.#received.offer(index)
  }

  get bytes(): Buffer {
    return this.#received.memory
  }

  get replyBytes(): Buffer {
    return this.answers.memory
  }

  /** Of the headers for recvmmsg. */
  get receiveAddress(): Pointer {
    return this.#received.address
  }

  /** Takes what recvmmsg has written. */
  load(count: number, isConnected: boolean): void {
    this.count = count
    this.answerCount = 0
    this.#isConnected = isConnected
  }

  /** Makes room for the next ones. */
  clear(): void {
    for (let index = 0; index < this.count; index++) {
      this.#received.offerAgain(index)
      if (!this.#isChecked) continue
      this.bytes.fill(poison, this.offset(index), this.offset(index) + this.length(index))
    }
    this.count = 0
    this.answerCount = 0
  }

  offset(index: number): number {
    return this.#received.bytesOffset(index)
  }

  length(index: number): number {
    return this.#received.lengthOf(index)
  }

  replyOffset(index: number): number {
    return this.answers.bytesOffset(index)
  }

  reply(index: number, length: number): void {
    if (this.#isChecked && (index >= this.count || length > messageRoom)) {
      throw new Error(`reactor: reply(${index}, ${length}) to a batch of ${this.count}`)
    }
    const received = this.#received
    const answers = this.answers
    const at = this.answerCount++
    answers.setBytes(at, answers.addressAt(answers.bytesOffset(index)), length)
    if (this.#isConnected) {
      answers.setName(at, 0, 0)
      answers.setControl(at, 0, 0)
      return
    }
    const nameLength = received.nameLengthOf(index)
    answers.setName(at, received.addressAt(received.nameOffset(index)), nameLength)
    const controlLength = received.controlLengthOf(index)
    const control = received.controlOffset(index)
    if (controlLength > 0) answerThroughRouting(received.memory, control, controlLength)
    answers.setControl(at, received.addressAt(control), controlLength)
  }

  copyAddress(index: number, target: Uint8Array, offset: number): void {
    const received = this.#received
    target.fill(0, offset, offset + addressRecordBytes)
    readPeerName(received.memory, received.nameOffset(index), target, offset)
    const length = received.controlLengthOf(index)
    readPacketInfo(received.memory, received.controlOffset(index), length, target, offset)
  }
}
