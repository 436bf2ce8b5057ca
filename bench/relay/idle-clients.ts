/** Opens connections, sends a request on each, and keeps them when all are answered: prints a line then. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import process from 'node:process'

/** Being opened at once. */
const width = 50
/** So many connections of each source address: ports of one never run out. */
const connectionsOfAddress = 2_000

const order: { readonly port: number; readonly count: number } = JSON.parse(process.argv[2] ?? '{}')
const sockets: Socket[] = []
let opened = 0

async function openMany(): Promise<void> {
  while (opened < order.count) {
    const localAddress = `127.0.1.${1 + Math.floor(opened++ / connectionsOfAddress)}`
    const socket = connect({ host: '127.0.0.1', port: order.port, localAddress })
    sockets.push(socket)
    socket.write('GET / HTTP/1.1\r\nHost: bench\r\n\r\n')
    await once(socket, 'data')
    socket.once('close', () => {
      process.stderr.write('idle-clients: a connection was closed\n')
      process.exit(1)
    })
  }
}

await Promise.all(Array.from({ length: width }, openMany))
process.stdout.write(`${sockets.length} open\n`)
