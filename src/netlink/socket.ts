import { DecodeError } from '../net/decode-error.ts'
import { roomFor } from './attribute-writer.ts'
import { errnoNumbers } from './errno.ts'
import { libc } from './libc.ts'
import {
  controlMessages,
  decodeErrorMessage,
  type ErrorMessage,
  MessageReader,
  messageFlags,
} from './message-reader.ts'
import { NetlinkError, type NetlinkFailure, systemCallError } from './netlink-error.ts'
import { filterInstructionBytes, writerFilter } from './writer-filter.ts'

/** Protocols of AF_NETLINK: NETLINK_ROUTE, NETLINK_NETFILTER. linux/netlink.h */
export const netlinkProtocols = { route: 0, netfilter: 12 } as const

/** AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC (asm-generic numbers, x64 and arm64 alike). */
const netlinkFamily = 16
const socketType = 3 | 0o2000000
const solSocket = 1
const solNetlink = 270
const socketOptions = { receiveTimeout: 20, attachFilter: 26, sendBuffer: 32, receiveBuffer: 33 }
const netlinkOptions = { addMembership: 1, capAck: 10, extAck: 11 }
const dontWait = 0x40
/** As an input flag of recv: return the real length of a datagram even if it did not fit. */
const truncated = 0x20

/** Answers are built by the kernel in buffers of at most 32 KiB (netlink_dump); this has room for two. */
const datagramRoom = 65_536
/** Room for errors of a large batch and for notifications of one; bytes, doubled by the kernel. */
const receiveBufferBytes = 8 << 20
const initialSendBytes = 1 << 20
/** The kernel answers within the call; a longer silence means an answer was lost. Seconds. */
const silenceSeconds = 30
/** A dump that is overtaken by writers this many times in a row is given up. */
const dumpAttempts = 50

/** One netlink socket of the network namespace in which it was opened. Requests are synchronous: the kernel
 *  works on them within send, and their answers are waiting when it returns. */
export class NetlinkSocket {
  /** For messages: `nftables`, `route`, `conntrack`. */
  readonly name: string
  /** The kernel's number of this socket (nl_pid): stands in notifications of what it wrote. */
  readonly portId: number
  readonly #fd: number
  #sequence = 1
  #sendBytes = initialSendBytes
  #inbox = new Uint8Array(datagramRoom)
  #isClosed = false
  readonly #sender = new Uint8Array(12)
  readonly #senderLength = new Uint8Array(4)

  private constructor(name: string, fd: number) {
    this.name = name
    this.#fd = fd
    this.#configure()
    this.portId = this.#bind()
  }

  /** Opens a socket. Needs no capability; what is then asked may. */
  static open(name: string, protocol: number): NetlinkSocket {
    const fd = libc().socket(netlinkFamily, socketType, protocol)
    if (fd < 0) throw systemCallError(name, 'open a netlink socket', libc().errno())
    try {
      return new NetlinkSocket(name, fd)
    } catch (error) {
      libc().close(fd)
      throw error
    }
  }

  /** Reserves `count` sequence numbers and returns the first; never 0, which notifications carry. */
  reserveSequences(count = 1): number {
    if (this.#sequence + count > 0xffff_fff0) this.#sequence = 1
    const first = this.#sequence
    this.#sequence += count
    return first
  }

  /** Sends one datagram, for which the send buffer is enlarged when needed (SO_SNDBUFFORCE). */
  send(bytes: Uint8Array, operation: string): void {
    this.#reserveSendBuffer(bytes.length, operation)
    for (;;) {
      if (libc().send(this.#fd, bytes, bytes.length, 0) === bytes.length) return
      const errno = libc().errno()
      if (errno !== errnoNumbers.EINTR) throw systemCallError(this.name, operation, errno)
    }
  }

  /** Sends one request that asks for an acknowledgement and waits for it. `describe` names the operation if
   *  it is refused. */
  request(message: Uint8Array, sequence: number, describe: () => string): void {
    this.send(message, describe())
    const [answer] = this.collect(sequence, 1, describe)
    if (answer !== undefined && answer.errno !== 0) this.fail([answer], describe)
  }

  /** Waits for the acknowledgement with number `last` or an error, then takes whatever else is waiting.
   *  Returns all acknowledgements and errors with numbers from `last - count + 1`. */
  collect(last: number, count: number, describe: () => string): ErrorMessage[] {
    const answers: ErrorMessage[] = []
    let isWaiting = true
    let isComplete = false
    for (;;) {
      const length = this.#receive(isWaiting ? 0 : dontWait, describe)
      if (length < 0) return answers
      const reader = new MessageReader(this.#inbox, 0, length)
      while (reader.next()) {
        if (reader.type !== controlMessages.error) continue
        if (reader.sequence > last || reader.sequence <= last - count) continue
        answers.push(decodeErrorMessage(reader, this.#inbox))
        isWaiting = false
        // The kernel answers in order.
        isComplete ||= reader.sequence === last
      }
      if (isComplete) return answers
    }
  }

  /** Sends a dump request and returns all its messages in one piece, retried until no writer came between
   *  (NLM_F_DUMP_INTR). The bytes are valid until the next call. */
  dump(
    makeRequest: (sequence: number) => Uint8Array,
    describe: () => string,
  ): Uint8Array<ArrayBuffer> {
    for (let attempt = 0; attempt < dumpAttempts; attempt++) {
      const sequence = this.reserveSequences()
      this.send(makeRequest(sequence), describe())
      const length = this.#receiveDump(sequence, describe)
      if (length !== undefined) return this.#inbox.subarray(0, length)
    }
    throw new Error(
      `${this.name}: ${describe()}: changed by others during each of ${dumpAttempts} attempts; ` +
        'find who writes without pause (nft monitor)',
    )
  }

  /** Gives back what a large answer needed. */
  shrink(): void {
    if (this.#inbox.length > 1 << 20) this.#inbox = new Uint8Array(datagramRoom)
  }

  /** Joins a multicast group. */
  join(group: number): void {
    this.#option(solNetlink, netlinkOptions.addMembership, group, `join group ${group}`)
  }

  /** Lets the kernel drop notifications of what the socket with this port id wrote, before they take room here:
   *  a load of 100,000 elements would fill the receive buffer with news of itself. All messages of a datagram
   *  have one writer, so the first header decides. */
  ignoreWriter(portId: number): void {
    const program = writerFilter(portId)
    // struct sock_fprog of LP64: u16 length, pointer at offset 8.
    const header = new Uint8Array(16)
    const headerView = new DataView(header.buffer)
    headerView.setUint16(0, program.length / filterInstructionBytes, true)
    headerView.setBigUint64(8, libc().addressOf(program), true)
    const { attachFilter } = socketOptions
    if (libc().setsockopt(this.#fd, solSocket, attachFilter, header, header.length) < 0) {
      throw systemCallError(this.name, 'ignore own notifications', libc().errno())
    }
    // The kernel has copied the program; it must not be collected before that.
    program.fill(0)
  }

  /** Calls back with each waiting datagram, on the event loop, until `signal` ends, which closes the socket.
   *  `onOverrun`: notifications were lost, because too many were waiting or one could not be decoded. */
  listen(
    onDatagram: (bytes: Uint8Array) => void,
    onOverrun: () => void,
    signal: AbortSignal,
  ): void {
    const end = () => {
      poll.close()
      this.close()
    }
    const poll = libc().pollReadable(this.#fd, () => {
      while (!this.#isClosed) {
        try {
          const length = this.#receive(dontWait, () => 'receive notifications')
          if (length < 0) return
          onDatagram(this.#inbox.subarray(0, length))
        } catch (error) {
          if (!isLoss(error)) throw error
          onOverrun()
        }
      }
    })
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  }

  /** Raises the errors among `answers`; `describe` gets the failed message's number. */
  fail(
    answers: readonly ErrorMessage[],
    describe: (answer: ErrorMessage) => string,
    attribute: (answer: ErrorMessage) => string | undefined = () => undefined,
  ): never {
    const failures: NetlinkFailure[] = answers.map((answer) => {
      const name = attribute(answer)
      return {
        operation: describe(answer),
        errno: answer.errno,
        ...(answer.text === undefined ? {} : { kernelText: answer.text }),
        ...(name === undefined ? {} : { attribute: name }),
      }
    })
    const [first, ...others] = failures
    if (first === undefined) throw new Error(`${this.name}: fail() without an error`)
    throw new NetlinkError(this.name, [first, ...others])
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    libc().close(this.#fd)
  }

  #receiveDump(sequence: number, describe: () => string): number | undefined {
    let filled = 0
    let isConsistent = true
    for (;;) {
      const length = this.#receive(0, describe, filled)
      const reader = new MessageReader(this.#inbox, filled, filled + length)
      let isOurs = false
      while (reader.next()) {
        if (reader.sequence !== sequence) continue
        isOurs = true
        if ((reader.flags & messageFlags.dumpInterrupted) !== 0) isConsistent = false
        if (reader.type !== controlMessages.done && reader.type !== controlMessages.error) continue
        const answer = decodeErrorMessage(reader, this.#inbox)
        if (answer.errno === errnoNumbers.EINTR) return undefined
        if (answer.errno !== 0) this.fail([answer], describe)
        return isConsistent ? reader.header : undefined
      }
      if (reader.fault !== undefined) {
        throw new Error(`${this.name}: ${describe()}: broken answer: ${reader.fault}`)
      }
      if (isOurs) filled += length
    }
  }

  /** One datagram of the kernel at `offset` of the inbox; its length, or -1 when none is waiting. */
  #receive(flags: number, describe: () => string, offset = 0): number {
    if (this.#inbox.length - offset < datagramRoom) this.#growInbox()
    const room = offset === 0 ? this.#inbox : this.#inbox.subarray(offset)
    for (;;) {
      this.#senderLength[0] = this.#sender.length
      const length = Number(
        libc().recvfrom(
          this.#fd,
          room,
          room.length,
          flags | truncated,
          this.#sender,
          this.#senderLength,
        ),
      )
      if (length < 0) {
        const errno = libc().errno()
        if (errno === errnoNumbers.EINTR) continue
        if (errno === errnoNumbers.EAGAIN && flags === dontWait) return -1
        throw systemCallError(this.name, `${describe()}: wait for the kernel's answer`, errno)
      }
      if (length > room.length) {
        throw new Error(
          `${this.name}: ${describe()}: a datagram of ${length} bytes, expected at most ${room.length}`,
        )
      }
      if (this.#isFromKernel()) return length
    }
  }

  /** struct sockaddr_nl: nl_pid at offset 4 is 0 for the kernel; other processes' messages are ignored. */
  #isFromKernel(): boolean {
    const [, , , , a, b, c, d] = this.#sender
    return a === 0 && b === 0 && c === 0 && d === 0
  }

  #growInbox(): void {
    const bytes = roomFor(this.#inbox.length * 4)
    bytes.set(this.#inbox)
    this.#inbox = bytes
  }

  #configure(): void {
    // Older kernels lack the acknowledgement options (4.12, 4.3): errors then say less, nothing breaks.
    this.#option(solNetlink, netlinkOptions.extAck, 1)
    this.#option(solNetlink, netlinkOptions.capAck, 1)
    this.#option(solSocket, socketOptions.receiveBuffer, receiveBufferBytes)
    this.#option(solSocket, socketOptions.sendBuffer, initialSendBytes)
    // struct timeval of LP64: seconds and microseconds, 8 bytes each.
    const timeout = new Uint8Array(16)
    timeout[0] = silenceSeconds
    libc().setsockopt(this.#fd, solSocket, socketOptions.receiveTimeout, timeout, timeout.length)
  }

  #bind(): number {
    const address = new Uint8Array(12)
    const view = new DataView(address.buffer)
    view.setUint16(0, netlinkFamily, true)
    const length = new Uint8Array([12, 0, 0, 0])
    if (
      libc().bind(this.#fd, address, address.length) < 0 ||
      libc().getsockname(this.#fd, address, length) < 0
    ) {
      throw systemCallError(this.name, 'bind a netlink socket', libc().errno())
    }
    return view.getUint32(4, true)
  }

  #reserveSendBuffer(length: number, operation: string): void {
    // The kernel refuses a datagram above its send buffer less 32 bytes (netlink_sendmsg).
    if (length + 32 <= this.#sendBytes) return
    const bytes = Math.min(2 * length, 0x3fff_ffff)
    if (!this.#option(solSocket, socketOptions.sendBuffer, bytes)) {
      throw systemCallError(
        this.name,
        `${operation}: enlarge the send buffer to ${bytes} bytes`,
        libc().errno(),
      )
    }
    this.#sendBytes = bytes
  }

  /** Sets an option; with a `purpose` a refusal is an error. */
  #option(level: number, name: number, value: number, purpose?: string): boolean {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, value, true)
    const isSet = libc().setsockopt(this.#fd, level, name, bytes, bytes.length) === 0
    if (!isSet && purpose !== undefined) throw systemCallError(this.name, purpose, libc().errno())
    return isSet
  }
}

function isLoss(error: unknown): boolean {
  if (error instanceof NetlinkError) return error.errno === errnoNumbers.ENOBUFS
  return error instanceof DecodeError
}
