/** Servers that say their port to each client and end, until they are killed; prints a line when they listen. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import process from 'node:process'

const { ports }: { readonly ports: readonly number[] } = JSON.parse(process.argv[2] ?? '{}')
for (const port of ports) {
  const server = createServer((socket) => {
    socket.on('error', () => {}).end(`${port}`)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}
process.stdout.write('listening\n')
