import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { ListenTransport } from '../corefile/server-key.ts'
import { eachAddress } from '../server/listen-place.ts'

/** An address that workers are to share. */
export interface SharedPlace {
  readonly transport: ListenTransport
  readonly host: string
  readonly port: number
}

/** Opens each address alone and closes it again: workers share theirs, and would share them with a program
 *  that is there already, too. Rejects with ListenError when one is taken. */
export async function probePlaces(places: readonly SharedPlace[]): Promise<void> {
  for (const place of places) {
    await eachAddress(place, async (host) => {
      await probeTcp(host, place.port)
      if (place.transport === 'dns') await probeUdp(host, place.port)
    })
  }
}

async function probeTcp(host: string, port: number): Promise<void> {
  const server = createServer()
  server.listen({ host, port, ipv6Only: host.includes(':') })
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
}

async function probeUdp(host: string, port: number): Promise<void> {
  const isIpv6 = host.includes(':')
  const socket = createSocket({ type: isIpv6 ? 'udp6' : 'udp4', ipv6Only: isIpv6 })
  socket.bind(port, host)
  await once(socket, 'listening')
  socket.close()
  await once(socket, 'close')
}
