import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** A request that the test answers by hand. */
export interface FakeRequest {
  readonly url: URL
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  readonly httpVersion: string
  /** Common name of the client's certificate; empty: it has none. */
  readonly clientName: string
  json(value: unknown, status?: number, headers?: Readonly<Record<string, string>>): void
  /** Sends the head of a watch. */
  open(): void
  /** Sends watch events, one line each. */
  send(...events: unknown[]): void
  end(): void
  /** Breaks the connection. */
  cut(): void
  /** Writes bytes; false: the connection takes no more for now. */
  write(text: string): boolean
  once(event: 'drain' | 'close', listener: () => void): void
}

/** An API server whose every answer is the test's own: requests wait in a queue. */
export interface FakeApiServer {
  readonly url: string
  next(): Promise<FakeRequest>
  /** Requests that nobody has taken from the queue. */
  readonly waitingCount: number
  /** Connections accepted so far. */
  readonly connectionCount: number
  close(): Promise<void>
}

/** How the server speaks; plain HTTP/1.1 by default. */
export interface FakeServerOptions {
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string }
  readonly isHttp2?: boolean
}

/** Starts a server on a free port of the loopback interface. */
export async function openFakeApiServer(options: FakeServerOptions = {}): Promise<FakeApiServer> {
  const queue: FakeRequest[] = []
  const takers: ((request: FakeRequest) => void)[] = []
  const sockets = new Set<Socket>()
  let connectionCount = 0
  const onRequest = (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ): void => {
    const fake = fakeRequest(request, response as ServerResponse)
    const take = takers.shift()
    if (take === undefined) queue.push(fake)
    else take(fake)
  }
  const server = createAnyServer(options, onRequest)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    connectionCount++
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    get waitingCount() {
      return queue.length
    },
    get connectionCount() {
      return connectionCount
    },
    next() {
      const waiting = queue.shift()
      if (waiting !== undefined) return Promise.resolve(waiting)
      const { promise, resolve } = Promise.withResolvers<FakeRequest>()
      takers.push(resolve)
      return promise
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function createAnyServer(
  { tls, isHttp2 = false }: FakeServerOptions,
  onRequest: (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ) => void,
): ReturnType<typeof createServer> {
  if (tls === undefined) return createServer(onRequest)
  const mutual = tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }
  if (isHttp2) {
    const server = createSecureServer({ ...tls, ...mutual, allowHTTP1: false }, onRequest)
    server.on('sessionError', () => {})
    return server as unknown as ReturnType<typeof createServer>
  }
  return createTlsServer({ ...tls, ...mutual }, onRequest)
}

function fakeRequest(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse,
): FakeRequest {
  const url = new URL(request.url ?? '/', 'http://server')
  return {
    url,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    httpVersion: request.httpVersion,
    clientName: clientNameOf(request.socket),
    json(value, status = 200, headers = {}) {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(value))
    },
    open() {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.flushHeaders?.()
    },
    send(...events) {
      response.write(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
    },
    end() {
      response.end()
    },
    cut() {
      request.socket.destroy()
    },
    write: (text) => response.write(text),
    once: (event, listener) => response.once(event, listener),
  }
}

function clientNameOf(socket: Socket): string {
  if (!(socket instanceof TLSSocket)) return ''
  const name = socket.getPeerCertificate().subject?.CN ?? ''
  return typeof name === 'string' ? name : name.join()
}
