import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { ConnectionTable } from './connection-table.ts'
import type { ListenPlace } from './listen-place.ts'
import { isWelcome } from './secure-settings.ts'
import type { StreamSettings } from './stream-settings.ts'
import { TcpClient } from './tcp-client.ts'
import type { OpenListener, Seat } from './udp-listener.ts'

/** Connections of one listener. */
export const connectionLimits = { total: 1_000, perClient: 250 } as const

/** Answers queries over TCP, or TLS when the settings have a certificate, until it is closed. Rejects with
 *  the system's error when the address cannot be had. */
export async function listenTcp(
  { host, port, isShared }: ListenPlace,
  seat: Seat,
  settings: StreamSettings,
): Promise<OpenListener> {
  let current = settings
  const table = new ConnectionTable(connectionLimits)
  const serve = (socket: Socket): void => {
    const transport = settings.secure === undefined ? 'tcp' : 'tls'
    new TcpClient(socket, { seat, transport, timeouts: current.timeouts, table })
  }
  // A client that has said all of its queries may still wait for answers.
  const options = { allowHalfOpen: true, noDelay: true }
  const handshakeTimeout = settings.timeouts.readMs
  const secure =
    settings.secure === undefined
      ? undefined
      : createTlsServer({ ...settings.secure.options, ...options, handshakeTimeout })
  const server = secure ?? createServer(options, serve)
  server.prependListener('connection', (socket) => table.admit(socket))
  secure?.on('secureConnection', (socket: TLSSocket) => {
    const { secure: now } = current
    if (now !== undefined && isWelcome(socket, now)) serve(socket)
    else socket.destroy()
  })
  // A handshake that fails ends its own connection only.
  server.on('tlsClientError', () => {})
  server.listen({ port, host, ipv6Only: host.includes(':'), reusePort: isShared })
  await once(server, 'listening')
  return {
    renew(next) {
      current = next
      if (next.secure !== undefined) secure?.setSecureContext(next.secure.options)
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      table.close()
      await closed
    },
  }
}
