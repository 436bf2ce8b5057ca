import type { Socket } from 'node:net'
import type { Asker } from '../answer/packet-responder.ts'
import type { Transport } from '../chain/request.ts'

/** Who asks over a connection. */
export function streamAsker(
  socket: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>,
  transport: Transport,
): Asker {
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
