import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import type { Asker, AskerSource, PacketResponder } from '../answer/packet-responder.ts'

/** Bytes that wait in the kernel for a moment in which we are busy. */
const socketBytes = 4 << 20
const maxAnswerBytes = 65_535

/** Something that answers queries until it is closed. */
export interface OpenListener {
  close(): Promise<void>
}

/** Answers queries over UDP until it is closed. Rejects with the system's error when the address cannot be
 *  had. */
export async function listenUdp(
  host: string,
  port: number,
  responder: PacketResponder,
): Promise<OpenListener> {
  const socket = createSocket({
    type: host.includes(':') ? 'udp6' : 'udp4',
    ipv6Only: host.includes(':'),
    recvBufferSize: socketBytes,
    sendBufferSize: socketBytes,
  })
  const asker = new UdpAsker(host, port)
  const out = Buffer.alloc(maxAnswerBytes)
  socket.on('message', (packet, from) => {
    asker.from = from
    const { address, port: clientPort } = from
    const length = responder.respond(packet, 0, packet.length, false, asker, out, 0, (answer) => {
      socket.send(answer, clientPort, address, ignored)
    })
    // The buffer is written to again before the kernel may have taken it: a copy goes out.
    if (length > 0) socket.send(Buffer.from(out.subarray(0, length)), clientPort, address, ignored)
  })
  socket.bind(port, host)
  await once(socket, 'listening')
  // A client that is gone (ECONNREFUSED) is no fault of the server.
  socket.on('error', ignored)
  return {
    async close() {
      socket.close()
      await once(socket, 'close')
    },
  }
}

function ignored(): void {
  // The client asks again, or does not.
}

/** Who sent the last packet. */
class UdpAsker implements AskerSource {
  from: RemoteInfo = { address: '', family: 'IPv4', port: 0, size: 0 }
  readonly #host: string
  readonly #port: number

  constructor(host: string, port: number) {
    this.#host = host
    this.#port = port
  }

  asker(): Asker {
    const { address, port } = this.from
    const local = { address: this.#host, port: this.#port }
    return { client: { address, port }, local, transport: 'udp' }
  }
}
