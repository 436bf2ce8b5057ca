import { isUnspecified } from '../../net/address.ts'
import type { DatagramHandler, DatagramOptions, DatagramSocket } from '../datagram.ts'
import { errnos } from '../stream-handler.ts'
import type { Driver } from './driver.ts'
import { messagesAtOnce } from './message-arena.ts'
import type { OpenDatagram } from './open-datagram.ts'
import { openDatagramSocket } from './open-socket.ts'
import { ReceivedBatch } from './received-batch.ts'
import { SentDatagrams, sendMessages } from './sent-datagrams.ts'
import { addressOfSocket } from './socket-address-bytes.ts'
import { messageFlags } from './socket-constants.ts'
import { systemCalls } from './system-calls.ts'

/** Batches that one socket gets in a turn: others wait no longer. */
const batchesAtOnce = 4

/** UDP sockets: batches by recvmmsg and sendmmsg, on every engine alike. */
export class Datagrams {
  readonly #driver: Driver
  readonly #isChecked: boolean
  readonly #kick: () => void
  readonly #open = new Map<number, OpenDatagram>()
  /** Sockets that were not read empty. */
  #waiting: OpenDatagram[] = []
  #failed: OpenDatagram[] = []
  #batch: ReceivedBatch | undefined
  #sent: SentDatagrams | undefined
  #last = 0

  /** `kick` asks for a turn. */
  constructor(driver: Driver, isChecked: boolean, kick: () => void) {
    this.#driver = driver
    this.#isChecked = isChecked
    this.#kick = kick
  }

  get count(): number {
    return this.#open.size
  }

  /** Whether the next turn has something to do. */
  get hasWork(): boolean {
    return this.#waiting.length > 0 || this.#failed.length > 0 || this.#sent?.isEmpty === false
  }

  /** Throws ReactorError. */
  open(options: DatagramOptions, handler: DatagramHandler): DatagramSocket {
    const fd = options.descriptor ?? openDatagramSocket(options)
    this.#batch ??= new ReceivedBatch(this.#isChecked)
    this.#last++
    const open: Omit<OpenDatagram, 'socket'> = {
      number: this.#last,
      fd,
      handler,
      isConnected: options.peer !== undefined,
      isAny: isUnspecified(options.address.address),
      isOurs: options.descriptor === undefined,
      failures: [],
      lostCount: 0,
      isClosed: false,
      isWaiting: false,
    }
    const found: OpenDatagram = Object.assign(open, {
      socket: this.#socketOf(options, () => found),
    })
    this.#open.set(found.number, found)
    this.#driver.watchDatagram(found.number, fd)
    return found.socket
  }

  /** The driver tells that a socket can be read. */
  readable(number: number): void {
    const found = this.#open.get(number)
    // One that waits is read in the next turn anyway, and must not wait twice.
    if (found !== undefined && !found.isWaiting) this.#read(found)
  }

  /** Goes on with sockets that were not read empty. */
  readWaiting(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const found of waiting) {
      found.isWaiting = false
      if (!found.isClosed) this.#read(found)
    }
  }

  /** Sends what waits, and tells what was learnt from it. */
  flush(): void {
    this.#sent?.flush()
    const failed = this.#failed
    this.#failed = []
    for (const found of failed) this.#tellFailures(found)
  }

  close(): void {
    for (const found of [...this.#open.values()]) this.#close(found)
  }

  #socketOf(options: DatagramOptions, find: () => OpenDatagram): DatagramSocket {
    let address = options.address
    return {
      get address() {
        if (address.port === 0) address = addressOfSocket(find().fd, 'local') ?? address
        return address
      },
      get lostCount() {
        return find().lostCount
      },
      send: (record, recordOffset, bytes, offset, length) => {
        const found = find()
        if (found.isClosed) return false
        const lostBefore = found.lostCount
        this.#sent ??= new SentDatagrams(this.#noteFailure)
        this.#sent.push(found, record, recordOffset, bytes, offset, length)
        this.#kick()
        return found.lostCount === lostBefore
      },
      close: () => this.#close(find()),
    }
  }

  #read(found: OpenDatagram): void {
    const batch = this.#batch
    if (batch === undefined) return
    for (let turn = 0; turn < batchesAtOnce; turn++) {
      const count = systemCalls().recvmmsg(
        found.fd,
        batch.receiveAddress,
        messagesAtOnce,
        messageFlags.MSG_DONTWAIT,
        0,
      )
      if (count < 0) {
        const errno = systemCalls().errno()
        if (errno === errnos.EAGAIN) return
        // An error of an earlier datagram; datagrams may wait behind it.
        this.#noteFailure(found, errno)
        this.#tellFailures(found)
        if (found.isClosed) return
        continue
      }
      this.#deliver(found, batch, count)
      if (found.isClosed || count < messagesAtOnce) return
    }
    found.isWaiting = true
    this.#waiting.push(found)
  }

  #deliver(found: OpenDatagram, batch: ReceivedBatch, count: number): void {
    batch.load(count, found.isConnected)
    try {
      found.handler.onBatch(found.socket, batch)
    } finally {
      if (batch.answerCount > 0 && !found.isClosed) {
        sendMessages(found, batch.answers, 0, batch.answerCount, this.#noteFailure)
      }
      batch.clear()
    }
  }

  readonly #noteFailure = (found: OpenDatagram, errno: number): void => {
    found.failures.push(errno)
    if (found.failures.length === 1) this.#failed.push(found)
  }

  #tellFailures(found: OpenDatagram): void {
    for (const errno of found.failures.splice(0)) {
      if (!found.isClosed) found.handler.onError(found.socket, errno)
    }
  }

  #close(found: OpenDatagram): void {
    if (found.isClosed) return
    // What was sent before goes out first.
    this.#sent?.flush()
    found.isClosed = true
    this.#open.delete(found.number)
    this.#driver.unwatchDatagram(found.number, found.fd)
    if (found.isOurs) systemCalls().close(found.fd)
  }
}
