import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A small web server that tells its name. */
export interface WebBackend {
  readonly name: string
  readonly port: number
  close(): void
}

/** Starts web servers on free ports of an address, one per name. Rejects when the address cannot be
 *  listened on. */
export async function startWebBackends(
  address: string,
  names: readonly string[],
): Promise<WebBackend[]> {
  return Promise.all(names.map((name) => startWebBackend(address, name)))
}

async function startWebBackend(address: string, name: string): Promise<WebBackend> {
  const server: Server = createServer((request, response) => {
    // Without keep-alive each request is a connection of its own, so that the balancing is seen.
    response.setHeader('connection', 'close')
    response.end(`${name}: hello ${request.socket.remoteAddress}\n`)
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(0, address, resolve)
  await promise
  const { port } = server.address() as AddressInfo
  return {
    name,
    port,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
