import { dontWait, openSockets } from './sockets.ts'
import type { Transport } from './transport.ts'

/** A datagram that takes longer counts as lost. */
const timeoutMs = 200

/** Ports of clients, used one after the other. */
const firstPort = 2_000
const portCount = 60_000

const payload = new Uint8Array(64)

/** Datagrams, each of a new flow: from the call that sends one to the call that has it at the other end. The
 *  server's sockets are looked at in a loop; nobody is woken. Throws outside Linux. */
export function openUdp(): Transport {
  const sockets = openSockets()
  const room = new Uint8Array(payload.length)
  let flowCount = 0
  // All are asked, so that each place in the list costs the same.
  const arrivals = (listeners: readonly number[]): number =>
    listeners.filter((listener) => sockets.receive(listener, room, dontWait) >= 0).length
  return {
    listen(port) {
      const fd = sockets.open('datagram', 'non-blocking')
      sockets.bind(fd, port)
      return fd
    },
    reach(address, listeners) {
      const fd = sockets.open('datagram', 'blocking')
      // A port that was used before may still be tracked.
      sockets.bind(fd, firstPort + (flowCount++ % portCount))
      // Chooses port and route, and sends nothing.
      sockets.connect(fd, address)
      const start = performance.now()
      sockets.send(fd, payload)
      let tookMs = 0
      let isThere = false
      while (!isThere && tookMs < timeoutMs) {
        isThere = arrivals(listeners) > 0
        tookMs = performance.now() - start
      }
      sockets.close(fd)
      return isThere ? tookMs * 1_000 : undefined
    },
    drain(listener) {
      while (sockets.receive(listener, room, dontWait) >= 0);
    },
  }
}
