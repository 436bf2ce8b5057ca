/** A server in a network namespace. It answers every line (TCP), datagram (UDP) or INIT (SCTP) with its
 *  own name and the source address that it saw, prints `ready`, and ends when its input ends.
 *
 *      node server.ts NAME TCP/8080 UDP/8080 SCTP/8080 */
import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import process from 'node:process'
import { serveSctp } from './sctp.ts'

const [name = '', ...ports] = process.argv.slice(2)
await Promise.all(ports.map(serve))
process.stdout.write('ready\n')
process.stdin.on('end', () => process.exit(0)).resume()

async function serve(text: string): Promise<void> {
  const [protocol, port] = text.split('/')
  switch (protocol) {
    case 'TCP':
      return serveTcp(Number(port))
    case 'UDP':
      return serveUdp(Number(port))
    case 'SCTP':
      return serveSctp(Number(port), (source) => `${name} ${source}`)
    default:
      throw new Error(`${text}: expected TCP/PORT, UDP/PORT or SCTP/PORT`)
  }
}

function serveTcp(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  createServer(answerLines).on('error', reject).listen({ port, host: '::', backlog: 2048 }, resolve)
  return promise
}

function answerLines(socket: Socket): void {
  const source = plainAddress(socket.remoteAddress ?? '')
  socket.setNoDelay(true)
  socket.on('data', (bytes) => {
    for (const byte of bytes) if (byte === 10) socket.write(`${name} ${source}\n`)
  })
  socket.on('error', () => socket.destroy())
}

function serveUdp(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = createSocket({ type: 'udp6', recvBufferSize: 1 << 20 })
  socket.on('error', reject)
  socket.on('message', (_, from) => {
    socket.send(`${name} ${plainAddress(from.address)}`, from.port, from.address)
  })
  socket.bind(port, '::', resolve)
  return promise
}

/** The socket serves both families; IPv4 sources come mapped into IPv6. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
