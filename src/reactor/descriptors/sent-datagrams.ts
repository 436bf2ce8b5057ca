import { copyBytes } from '../../net/copy-bytes.ts'
import { errnos } from '../stream-handler.ts'
import { MessageArena, messageRoom, messagesAtOnce } from './message-arena.ts'
import type { OpenDatagram } from './open-datagram.ts'
import { writePacketInfo, writePeerName } from './packet-info.ts'
import { messageFlags } from './socket-constants.ts'
import { systemCalls } from './system-calls.ts'

/** Takes what a connected socket was told of an earlier datagram. */
export type OnFailure = (socket: OpenDatagram, errno: number) => void

/** Copies of datagrams that leave together, at the latest at the end of the turn. */
export class SentDatagrams {
  readonly #arena = new MessageArena()
  readonly #sockets: OpenDatagram[] = []
  readonly #onFailure: OnFailure

  constructor(onFailure: OnFailure) {
    this.#onFailure = onFailure
  }

  /** Whether `flush` has something to do. */
  get isEmpty(): boolean {
    return this.#sockets.length === 0
  }

  /** Appends a datagram. */
  push(
    socket: OpenDatagram,
    record: Uint8Array,
    recordOffset: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
  ): void {
    if (this.#sockets.length === messagesAtOnce) this.flush()
    const arena = this.#arena
    const index = this.#sockets.length
    this.#sockets.push(socket)
    const at = arena.bytesOffset(index)
    const size = Math.min(length, messageRoom)
    copyBytes(bytes, offset, arena.memory, at, size)
    arena.setBytes(index, arena.addressAt(at), size)
    const name = arena.nameOffset(index)
    const nameLength = socket.isConnected
      ? 0
      : writePeerName(record, recordOffset, arena.memory, name)
    arena.setName(index, arena.addressAt(name), nameLength)
    const control = arena.controlOffset(index)
    const controlLength =
      socket.isAny && !socket.isConnected
        ? writePacketInfo(record, recordOffset, arena.memory, control)
        : 0
    arena.setControl(index, arena.addressAt(control), controlLength)
  }

  /** Sends everything; neighbours of the same socket with one call. */
  flush(): void {
    const sockets = this.#sockets
    let from = 0
    while (from < sockets.length) {
      const socket = sockets[from]
      let to = from + 1
      while (to < sockets.length && sockets[to] === socket) to++
      if (socket !== undefined && !socket.isClosed) {
        sendMessages(socket, this.#arena, from, to, this.#onFailure)
      }
      from = to
    }
    sockets.length = 0
  }
}

/** Sends the messages `from` up to, not with, `to` of an arena. What the kernel has no room for is lost; a message
 *  that cannot be sent is left out. */
export function sendMessages(
  socket: OpenDatagram,
  arena: MessageArena,
  from: number,
  to: number,
  onFailure: OnFailure,
): void {
  const calls = systemCalls()
  let isRetried = false
  for (let next = from; next < to; ) {
    const sent = calls.sendmmsg(
      socket.fd,
      arena.headerAddress(next),
      to - next,
      messageFlags.MSG_DONTWAIT | messageFlags.MSG_NOSIGNAL,
    )
    if (sent > 0) {
      next += sent
      continue
    }
    const errno = calls.errno()
    if (errno === errnos.EAGAIN || errno === errnos.ENOBUFS) {
      socket.lostCount += to - next
      return
    }
    // A connected socket is told here what became of an earlier datagram; this one has not been tried.
    if (socket.isConnected && !isRetried) {
      isRetried = true
      onFailure(socket, errno)
      continue
    }
    socket.lostCount++
    next++
  }
}
