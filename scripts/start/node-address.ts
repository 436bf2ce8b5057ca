import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'

/** The address that this machine uses towards `destination`, when it has a route there; else
 *  undefined. Sends nothing: connecting a UDP socket only asks the routing table. */
export async function sourceAddressTowards(destination: string): Promise<string | undefined> {
  const socket = createSocket('udp4')
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  socket.once('error', () => resolve(undefined))
  socket.connect(9, destination, (error?: Error) => {
    resolve(error instanceof Error ? undefined : socket.address().address)
  })
  const address = await promise
  socket.close()
  // Without a route the socket stays unbound.
  return address === undefined || /^(?:127|0)\./.test(address) ? undefined : address
}

/** Any IPv4 address of this machine that others can reach; 127.0.0.1 when it has none. */
export function anyNodeAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return (
    addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
  )
}

/** Whether a TCP port can be listened on. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<boolean>()
  server.once('error', () => resolve(false))
  server.listen({ port, exclusive: true }, () => resolve(true))
  const isFree = await promise
  server.close()
  return isFree
}
