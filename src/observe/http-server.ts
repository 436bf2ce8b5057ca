import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { ListenError } from './listen-error.ts'

/** What a server answers. */
export interface HttpAnswer {
  readonly status: number
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** Answers by path; undefined: 404. Only GET and HEAD come here. */
export type HttpRoute = (path: string) => HttpAnswer | Promise<HttpAnswer> | undefined

/** The same for pages that need more than their path. */
export type PageRoute = (path: string, request: PageRequest) => ReturnType<HttpRoute>

/** What else a page may want to know. */
export interface PageRequest {
  /** What stands behind the path. */
  readonly parameters: URLSearchParams
  /** The client is this machine. */
  readonly isLocal: boolean
}

/** A listening server. */
export interface ListeningServer {
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

/** Starts a small HTTP server for status pages. `what` names it in errors. Rejects with ListenError. */
export async function listenHttp(
  what: string,
  address: { readonly host: string; readonly port: number },
  route: PageRoute,
): Promise<ListeningServer> {
  const server = createServer((request, response) => {
    const [path = '/', parameters] = (request.url ?? '/').split('?', 2)
    const page = { parameters: new URLSearchParams(parameters), isLocal: isLocal(request.socket) }
    respond(route, request.method ?? 'GET', path, page).then(
      (answer) => {
        response.writeHead(answer.status, {
          'content-type': answer.contentType,
          'content-length': Buffer.byteLength(answer.body),
          'x-content-type-options': 'nosniff',
          ...answer.headers,
        })
        response.end(request.method === 'HEAD' ? undefined : answer.body)
      },
      // The peer gets no detail: the page could not be made, and the log of the part says why.
      () => response.writeHead(500).end(),
    )
  })
  // Status pages are small: a peer that sends slowly or keeps connections open must not bind them.
  server.headersTimeout = 10_000
  server.requestTimeout = 10_000
  server.maxConnections = 200
  await listening(server, what, address)
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
  return { host: address.host, port, close: () => closeServer(server) }
}

async function respond(
  route: PageRoute,
  method: string,
  path: string,
  request: PageRequest,
): Promise<HttpAnswer> {
  if (method !== 'GET' && method !== 'HEAD') {
    return textAnswer(405, 'only GET is answered here\n')
  }
  return (await route(path, request)) ?? textAnswer(404, `${path}: no such page\n`)
}

/** Whoever comes from the address that he asks is here: nobody else can have it. */
function isLocal({ remoteAddress = '', localAddress }: Socket): boolean {
  return /^(?:::ffff:)?127\.|^::1$/.test(remoteAddress) || remoteAddress === localAddress
}

/** A plain text page. */
export function textAnswer(status: number, body: string): HttpAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body }
}

async function listening(
  server: Server,
  what: string,
  address: { readonly host: string; readonly port: number },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host: address.host, port: address.port, ipv6Only: false }, () => resolve())
  const shown = address.host.includes(':') ? `[${address.host}]` : address.host
  await promise.catch((error: NodeJS.ErrnoException) => {
    throw new ListenError(what, `${shown}:${address.port}`, error)
  })
  server.on('error', () => {})
}

async function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  await promise
}
