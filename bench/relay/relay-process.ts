/** A relay as a process of its own: one line with the ports and the engine, then it works until it is killed.
 *
 *      node relay-process.ts '{"engine":"uring","target":8080,"udpTarget":9090}' */
import process from 'node:process'
import type { ConnectionId } from '../../src/reactor/connection-id.ts'
import { openReactor } from '../../src/reactor/open-reactor.ts'
import type { EngineName, Reactor } from '../../src/reactor/reactor.ts'
import { Relay } from '../../src/reactor/relay.ts'
import type { StreamHandler } from '../../src/reactor/stream-handler.ts'

interface RelayOrder {
  readonly engine: EngineName
  readonly drive: 'shared' | 'blocking'
  /** Port of the server on 127.0.0.1. */
  readonly target: number
}

/** Accepts, connects to the target, joins. */
function relayTo(reactor: Reactor, target: number): StreamHandler {
  const relay = new Relay(reactor, () => {})
  const address = { address: '127.0.0.1', port: target }
  return {
    onOpen(client: ConnectionId) {
      relay.join(client, reactor.connect(address, { timeoutMs: 5000 }, relay), 0)
    },
    onData() {},
    onEnd() {},
    onDrain() {},
    onTimeout() {},
    onClose() {},
  }
}

const order: RelayOrder = JSON.parse(process.argv[2] ?? '')
const reactor = openReactor(
  { engine: order.engine, drive: order.drive },
  new AbortController().signal,
)
const loopback = { address: '127.0.0.1', port: 0 }
const listener = await reactor.listen(loopback, {}, relayTo(reactor, order.target))
process.stdout.write(`${JSON.stringify({ port: listener.address.port, reason: reactor.reason })}\n`)
