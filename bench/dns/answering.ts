import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'

/** A query for the root's name servers: every server answers it somehow. */
const anyQuery = Buffer.from('000701000001000000000000' + '00' + '00020001', 'hex')
/** A server that has not answered by then is not going to. */
const patienceMs = 60_000

/** Resolves when a server on a port of 127.0.0.1 answers queries. Rejects with its complaint when it never does. */
export async function answering(port: number, complaint: () => string): Promise<void> {
  const socket = createSocket('udp4')
  try {
    socket.on('error', () => {})
    const answered = once(socket, 'message')
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 100) {
      socket.send(anyQuery, port, '127.0.0.1')
      if ((await Promise.race([answered, wait(100)])) !== undefined) return
    }
    throw new Error(`no answer on port ${port} after ${patienceMs} ms: ${complaint()}`)
  } finally {
    socket.close()
  }
}
