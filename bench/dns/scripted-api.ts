import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An API server of few kinds, which a benchmark plays. */
export interface ScriptedApi {
  readonly url: string
  /** Sends an event to all that watch the kind; the bytes are the kernel's when it returns. */
  send(path: string, event: { readonly type: 'MODIFIED'; readonly object: unknown }): void
  close(): Promise<void>
}

/** Serves lists of objects by path (`/api/v1/services`) on 127.0.0.1 and keeps every watch open. */
export async function openScriptedApi(
  lists: Readonly<Record<string, readonly unknown[]>>,
): Promise<ScriptedApi> {
  const watches = new Map<string, Set<ServerResponse>>()
  const server = createServer((request, response) => answer(lists, watches, request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    send(path, event) {
      const line = `${JSON.stringify(event)}\n`
      for (const response of watches.get(path) ?? []) response.write(line)
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const type = { 'content-type': 'application/json' }

function answer(
  lists: Readonly<Record<string, readonly unknown[]>>,
  watches: Map<string, Set<ServerResponse>>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server')
  const items = lists[pathname]
  // A list as a stream is refused: clients ask for pages then.
  const status = items === undefined ? 404 : searchParams.has('sendInitialEvents') ? 400 : 200
  if (status !== 200) {
    response.writeHead(status, type).end(JSON.stringify({ kind: 'Status', code: status }))
    return
  }
  if (!searchParams.has('watch')) {
    const metadata = { resourceVersion: '1' }
    response.writeHead(200, type).end(JSON.stringify({ kind: 'List', metadata, items }))
    return
  }
  response.writeHead(200, type)
  response.flushHeaders()
  response.socket?.setNoDelay(true)
  const open = watches.get(pathname) ?? new Set()
  watches.set(pathname, open.add(response))
  response.on('close', () => open.delete(response))
}
