import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { SocketAddress } from '../../../src/reactor/socket-address.ts'

/** A socket of Node's that is connected to `address`. It reads nothing by itself, and its errors are noticed
 *  only by who waits for them. */
export async function connectPeer({ address, port }: SocketAddress): Promise<Socket> {
  const socket = connect({ host: address, port, allowHalfOpen: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Everything that a peer sends until it ends; the socket stays open in the other direction. Rejects when it
 *  breaks. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.resume()
  await once(socket, 'end')
  return Buffer.concat(chunks)
}

/** A server of Node's on a free port; `onSocket` gets its connections. */
export async function servePeer(
  onSocket: (socket: Socket) => void,
): Promise<{ address: SocketAddress; server: Server }> {
  const server = createServer({ allowHalfOpen: true }, onSocket)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return { address: { address: '127.0.0.1', port }, server }
}

/** Bytes that show when one is missing, doubled or at another place. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let state = seed
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
    bytes[index] = state >>> 16
  }
  return bytes
}

/** Waits until a number has been the same for half a second: buffers are full, the kernel's and ours. */
export async function stillness(read: () => number): Promise<void> {
  let before = Number.NaN
  for (let same = 0; same < 5; ) {
    const now = read()
    same = now === before ? same + 1 : 0
    before = now
    await delay(100)
  }
}
