import { once } from 'node:events'
import {
  createSecureServer,
  type Http2SecureServer,
  type SecureServerOptions,
  type ServerHttp2Session,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { ConnectionTable } from './connection-table.ts'
import { answerHttps, type HttpsExchangeParts } from './https-exchange.ts'
import type { ListenPlace } from './listen-place.ts'
import { isWelcome } from './secure-settings.ts'
import type { StreamSettings } from './stream-settings.ts'
import { connectionLimits } from './tcp-listener.ts'
import type { OpenListener, Seat } from './udp-listener.ts'

/** Settings of a listener with a certificate. */
export type SecureStreamSettings = StreamSettings & {
  readonly secure: NonNullable<StreamSettings['secure']>
}

/** Requests of one connection at a time; the client waits with further ones (RFC 9113 section 5.1.2). */
const maxStreams = 100
/** Names and values of a request's headers; a GET's query is one of them. */
const maxHeaderBytes = 16 << 10
/** Memory of one HTTP/2 connection, in Node's unit. */
const maxSessionMegabytes = 1
/** Streams that a client may open and reset at once, and per second, before its connection ends. */
const resetBurst = 200
const resetsPerSecond = 33

/** Answers queries over HTTPS (RFC 8484), by HTTP/2 or HTTP/1.1, until it is closed. `countStatus` is told the
 *  HTTP status of each answer. Rejects with the system's error when the address cannot be had. */
export async function listenHttps(
  { host, port, isShared }: ListenPlace,
  seat: Seat,
  settings: SecureStreamSettings,
  countStatus: (status: number) => void,
): Promise<OpenListener> {
  let current: StreamSettings = settings
  const table = new ConnectionTable(connectionLimits)
  const server = createSecureServer(serverOptions(settings))
  server.prependListener('connection', (socket) => table.admit(socket))
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    if (current.secure !== undefined && !isWelcome(socket, current.secure)) socket.destroy()
  })
  // What a client does wrong ends its own connection only.
  server.on('tlsClientError', () => {})
  server.on('sessionError', () => {})
  server.on('clientError', (_error: Error, socket: TLSSocket) => socket.destroy())
  server.on('session', (session: ServerHttp2Session) => {
    session.setTimeout(current.timeouts.idleMs, () => session.close())
  })
  server.on('request', (request, response) => {
    table.touch(request.socket)
    const { timeouts } = current
    const parts: HttpsExchangeParts = { seat, timeouts, countStatus }
    void answerHttps(request, response, parts)
  })
  server.listen({ port, host, ipv6Only: host.includes(':'), reusePort: isShared })
  await once(server, 'listening')
  return {
    renew(next) {
      current = next
      if (next.secure !== undefined) server.setSecureContext(next.secure.options)
    },
    close: () => closeServer(server, table),
  }
}

function serverOptions({ secure, timeouts }: SecureStreamSettings): SecureServerOptions {
  const { readMs, idleMs } = timeouts
  const http1Options = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: readMs,
    requestTimeout: readMs,
    keepAliveTimeout: idleMs,
  }
  return {
    ...secure.options,
    allowHTTP1: true,
    handshakeTimeout: readMs,
    settings: {
      enablePush: false,
      maxConcurrentStreams: maxStreams,
      maxHeaderListSize: maxHeaderBytes,
    },
    maxSessionMemory: maxSessionMegabytes,
    streamResetBurst: resetBurst,
    streamResetRate: resetsPerSecond,
    http1Options,
  }
}

async function closeServer(server: Http2SecureServer, table: ConnectionTable): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  table.close()
  await closed
}
