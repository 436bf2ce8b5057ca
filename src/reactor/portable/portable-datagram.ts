import { createSocket } from 'node:dgram'
import { addressRecordBytes, readPeerAddress, writeAddressRecord } from '../address-record.ts'
import type {
  DatagramBatch,
  DatagramHandler,
  DatagramOptions,
  DatagramSocket,
} from '../datagram.ts'
import { ReactorError } from '../reactor-error.ts'
import { formatSocketAddress, type SocketAddress, socketFamily } from '../socket-address.ts'
import { portableErrno } from './portable-errno.ts'

/** Room for an answer, as in the other engines. */
const replyRoom = 65_536

/** Datagrams that wait in Node for the kernel, per socket; more are lost. */
const waitingLimit = 4096

/** Opens a UDP socket of Node's. Node does not tell which of our addresses a datagram was sent to: on `0.0.0.0`
 *  and `::` answers leave from the address that the kernel chooses. Bind to each address where that matters. */
export async function openPortableDatagram(
  options: DatagramOptions,
  handler: DatagramHandler,
  onClose: (socket: DatagramSocket) => void,
): Promise<DatagramSocket> {
  const { address, peer } = options
  const operation = `open UDP ${formatSocketAddress(address)}`
  const node = createSocket({
    type: socketFamily(address) === 4 ? 'udp4' : 'udp6',
    ipv6Only: socketFamily(address) === 6,
    reusePort: options.isShared ?? false,
    // Addresses are never names.
    lookup: (name, _options, found) => found(null, name, socketFamily({ address: name })),
    ...(options.bufferBytes === undefined
      ? {}
      : { recvBufferSize: options.bufferBytes, sendBufferSize: options.bufferBytes }),
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  node.once('error', (error) => {
    node.close()
    reject(new ReactorError(operation, portableErrno(error), error.message))
  })
  node.bind({ address: address.address, port: address.port, exclusive: true }, () => {
    if (peer === undefined) resolve()
    else node.connect(peer.port, peer.address, resolve)
  })
  await promise
  node.removeAllListeners('error')
  return serve(node, options, handler, onClose)
}

function serve(
  node: ReturnType<typeof createSocket>,
  options: DatagramOptions,
  handler: DatagramHandler,
  onClose: (socket: DatagramSocket) => void,
): DatagramSocket {
  let isClosed = false
  let lostCount = 0
  const transmit = (bytes: Buffer, to: SocketAddress | undefined): boolean => {
    if (isClosed || node.getSendQueueCount() > waitingLimit) {
      lostCount++
      return false
    }
    const done = (error: Error | null) => {
      if (error === null || isClosed) return
      lostCount++
      if (options.peer !== undefined) handler.onError(socket, portableErrno(error))
    }
    if (options.peer !== undefined || to === undefined) node.send(bytes, done)
    else node.send(bytes, to.port, to.address, done)
    return true
  }
  const socket: DatagramSocket = {
    address: { address: options.address.address, port: node.address().port },
    get lostCount() {
      return lostCount
    },
    send: (record, recordOffset, bytes, offset, length) =>
      transmit(
        Buffer.from(bytes.subarray(offset, offset + length)),
        options.peer ?? readPeerAddress(record, recordOffset),
      ),
    close: () => {
      if (isClosed) return
      isClosed = true
      node.close()
      onClose(socket)
    },
  }
  const batch = new PortableBatch(transmit)
  node.on('message', (bytes, { address, port }) => {
    batch.load(bytes, { address, port })
    handler.onBatch(socket, batch)
  })
  node.on('error', (error) => {
    if (!isClosed) handler.onError(socket, portableErrno(error))
  })
  return socket
}

/** Node brings datagrams one by one: a batch of one. */
class PortableBatch implements DatagramBatch {
  readonly count = 1
  readonly replyBytes = Buffer.allocUnsafeSlow(replyRoom)
  readonly #transmit: (bytes: Buffer, to: SocketAddress) => boolean
  readonly #record = new Uint8Array(addressRecordBytes)
  bytes: Buffer = Buffer.alloc(0)
  #peer: SocketAddress = { address: '0.0.0.0', port: 0 }

  constructor(transmit: (bytes: Buffer, to: SocketAddress) => boolean) {
    this.#transmit = transmit
  }

  load(bytes: Buffer, peer: SocketAddress): void {
    this.bytes = bytes
    this.#peer = peer
  }

  offset(): number {
    return 0
  }

  length(): number {
    return this.bytes.length
  }

  replyOffset(): number {
    return 0
  }

  reply(_index: number, length: number): void {
    this.#transmit(Buffer.from(this.replyBytes.subarray(0, length)), this.#peer)
  }

  copyAddress(_index: number, target: Uint8Array, offset: number): void {
    writeAddressRecord(this.#record, 0, this.#peer)
    target.set(this.#record, offset)
  }
}
