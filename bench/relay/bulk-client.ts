/** Fetches one answer and throws its bytes away; prints how long it took, milliseconds. */
import { connect } from 'node:net'
import process from 'node:process'

const order: { readonly port: number; readonly bytes: number } = JSON.parse(process.argv[2] ?? '{}')
const start = performance.now()
let rest = order.bytes
const socket = connect({
  host: '127.0.0.1',
  port: order.port,
  onread: {
    buffer: Buffer.alloc(1 << 20),
    // The head is not counted.
    callback: (length) => {
      rest -= length
      if (rest > 0) return true
      process.stdout.write(`${performance.now() - start}\n`)
      socket.destroy()
      return false
    },
  },
})
socket.on('error', (error) => {
  process.stderr.write(`bulk-client: ${error.message}\n`)
  process.exitCode = 1
})
socket.write('GET /bulk HTTP/1.1\r\nHost: bench\r\n\r\n')
