import { openSockets, socketOptions } from './sockets.ts'
import type { Transport } from './transport.ts'

const backlog = 4_096
/** A connection that takes longer counts as refused. */
const timeoutSeconds = 2

/** struct linger { int on, seconds }: no TIME_WAIT keeps the port. */
const resetOnClose = new Uint8Array(Int32Array.of(1, 0).buffer)
/** struct timeval; connect obeys the time limit for sending. */
const sendTimeout = new Uint8Array(BigInt64Array.of(BigInt(timeoutSeconds), 0n).buffer)

/** Connections: the kernel answers without anybody accepting, until its queue is full. Each ends with a reset.
 *  Throws outside Linux. */
export function openTcp(): Transport {
  const sockets = openSockets()
  return {
    listen(port) {
      const fd = sockets.open('stream', 'non-blocking')
      sockets.set(fd, socketOptions.reuseAddress, Uint8Array.of(1, 0, 0, 0))
      sockets.bind(fd, port)
      sockets.listen(fd, backlog)
      return fd
    },
    reach(address) {
      const fd = sockets.open('stream', 'blocking')
      sockets.set(fd, socketOptions.linger, resetOnClose)
      sockets.set(fd, socketOptions.sendTimeout, sendTimeout)
      const start = performance.now()
      const isConnected = sockets.connect(fd, address)
      const tookMs = performance.now() - start
      sockets.close(fd)
      return isConnected ? tookMs * 1_000 : undefined
    },
    drain(listener) {
      for (;;) {
        const fd = sockets.accept(listener)
        if (fd < 0) return
        sockets.close(fd)
      }
    },
  }
}
