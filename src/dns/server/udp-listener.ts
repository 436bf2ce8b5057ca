import { isUnspecified, readAddress } from '../../net/address.ts'
import { addressRecord, addressRecordBytes, readPeerAddress } from '../../reactor/address-record.ts'
import type { DatagramBatch, DatagramHandler, DatagramSocket } from '../../reactor/datagram.ts'
import type { Reactor } from '../../reactor/reactor.ts'
import type { Asker, AskerSource, PacketResponder } from '../answer/packet-responder.ts'
import type { ListenPlace } from './listen-place.ts'
import type { StreamSettings } from './stream-settings.ts'

/** Bytes that wait in the kernel for a moment in which we are busy. */
const socketBytes = 4 << 20

/** Who answers the packets of a socket: another one after each reload. */
export interface Seat {
  responder: PacketResponder
}

/** Something that answers until it is closed. */
export interface OpenListener {
  /** Takes other settings for new connections. */
  renew?(settings: StreamSettings): void
  /** Resolves when nothing is answered any more. */
  close(): Promise<void>
}

/** Answers queries over UDP until it is closed: batch by batch, each answer written where it is sent from,
 *  from the address that was asked. Rejects with a ReactorError when the address cannot be had. */
export async function listenUdp(
  reactor: Reactor,
  { host, port, isShared }: ListenPlace,
  seat: Seat,
): Promise<OpenListener> {
  const options = { address: { address: host, port }, isShared, bufferBytes: socketBytes }
  const handler = new UdpHandler({ host, port }, seat)
  const socket = await reactor.openDatagram(options, handler)
  return {
    close: async () => {
      handler.end()
      socket.close()
    },
  }
}

class UdpHandler implements DatagramHandler, AskerSource {
  readonly #local: { readonly host: string; readonly port: number }
  readonly #seat: Seat
  /** The address record of the datagram that is being answered. */
  readonly #record = new Uint8Array(addressRecordBytes)
  #socket: DatagramSocket | undefined
  #batch: DatagramBatch | undefined
  #index = 0
  #hasEnded = false

  constructor(local: { readonly host: string; readonly port: number }, seat: Seat) {
    this.#local = local
    this.#seat = seat
  }

  onBatch(socket: DatagramSocket, batch: DatagramBatch): void {
    this.#socket = socket
    this.#batch = batch
    const { bytes, replyBytes } = batch
    const { responder } = this.#seat
    for (let index = 0; index < batch.count; index++) {
      this.#index = index
      const start = batch.offset(index)
      const end = start + batch.length(index)
      const replyOffset = batch.replyOffset(index)
      const length = responder.respond(bytes, start, end, false, this, replyBytes, replyOffset)
      if (length > 0) batch.reply(index, length)
    }
  }

  onError(): void {
    // Only connected sockets learn of errors.
  }

  /** Late answers are dropped from now on. */
  end(): void {
    this.#hasEnded = true
  }

  asker(): Asker {
    this.#batch?.copyAddress(this.#index, this.#record, 0)
    const record = this.#record
    const family = record[addressRecord.family] === 6 ? 6 : 4
    const local = readAddress(record, addressRecord.local, family)
    return {
      client: readPeerAddress(record, 0),
      local: { address: isUnspecified(local) ? this.#local.host : local, port: this.#local.port },
      transport: 'udp',
    }
  }

  later(): (answer: Uint8Array | undefined) => void {
    const socket = this.#socket
    const record = new Uint8Array(addressRecordBytes)
    this.#batch?.copyAddress(this.#index, record, 0)
    return (answer) => {
      // A queue that is full loses the answer; the client asks again.
      if (answer === undefined || this.#hasEnded) return
      socket?.send(record, 0, answer, 0, answer.length)
    }
  }
}
