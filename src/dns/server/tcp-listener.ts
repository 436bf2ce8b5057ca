import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { Asker } from '../answer/packet-responder.ts'
import type { OpenListener, Seat } from './udp-listener.ts'

/** A connection that says nothing for so long is closed (RFC 7766 section 6.2.3 leaves the time to us). */
const idleMs = 10_000
/** Connections at a time; further ones wait in the kernel. */
const maxConnections = 1_000
/** Bytes of answers that wait for a slow client before its queries are left unread. */
const maxWaitingBytes = 256 << 10
const maxMessageBytes = 65_535

/** Answers queries over TCP, or TLS with `tls`, until it is closed: any number of queries a connection, each
 *  answered as soon as it can be (RFC 7766). Rejects with the system's error when the address cannot be had. */
export async function listenTcp(
  host: string,
  port: number,
  seat: Seat,
  tls: TlsOptions | undefined,
): Promise<OpenListener> {
  const clients = new Set<Socket>()
  const open = (socket: Socket): void => {
    clients.add(socket)
    socket.on('close', () => clients.delete(socket))
    serve(socket, seat, tls === undefined ? 'tcp' : 'tls')
  }
  const secure = tls === undefined ? undefined : createTlsServer(tls, open)
  const server = secure ?? createServer(open)
  server.maxConnections = maxConnections
  server.listen({ port, host, ipv6Only: host.includes(':') })
  await once(server, 'listening')
  // A handshake that fails ends its own connection only.
  server.on('tlsClientError', () => {})
  return {
    renew: (next) => secure?.setSecureContext(next),
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const client of clients) client.destroy()
      await closed
    },
  }
}

/** Where an answer is made: it is copied before the next one. */
const out = Buffer.alloc(maxMessageBytes)

function serve(socket: Socket, seat: Seat, transport: 'tcp' | 'tls'): void {
  const source = { asker: (): Asker => askerOf(socket, transport), later: () => send }
  let received: Buffer = Buffer.alloc(0)
  const send = (answer: Uint8Array): void => {
    if (socket.destroyed) return
    const frame = Buffer.alloc(2 + answer.length)
    frame.writeUInt16BE(answer.length, 0)
    frame.set(answer, 2)
    socket.write(frame)
    if (socket.writableLength > maxWaitingBytes) socket.pause()
  }
  socket.setNoDelay(true)
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('drain', () => socket.resume())
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    let at = 0
    while (received.length - at >= 2) {
      const end = at + 2 + received.readUInt16BE(at)
      if (end > received.length) break
      const length = seat.responder.respond(received, at + 2, end, true, source, out, 0)
      if (length > 0) send(out.subarray(0, length))
      at = end
    }
    received = received.subarray(at)
  })
}

function askerOf(socket: Socket, transport: 'tcp' | 'tls'): Asker {
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket
  return {
    client: { address: plainAddress(remoteAddress), port: remotePort },
    local: { address: plainAddress(localAddress), port: localPort },
    transport,
  }
}

/** A socket for both families calls IPv4 clients `::ffff:192.0.2.1`. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
