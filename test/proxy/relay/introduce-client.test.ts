import { once } from 'node:events'
import type { Socket } from 'node:net'
import * as assert from 'uvu/assert'
import { EndpointPicker } from '../../../src/proxy/relay/endpoint-picker.ts'
import { defaultRelayOptions } from '../../../src/proxy/relay/relay-options.ts'
import type { RelayTarget } from '../../../src/proxy/relay/relay-table.ts'
import { TcpRelay } from '../../../src/proxy/relay/tcp-relay.ts'
import { decodeProxyHeader } from '../../../src/proxy-protocol/decode-proxy-header.ts'
import type { ProxyProtocolVersion } from '../../../src/proxy-protocol/proxied-flow.ts'
import type { Reactor } from '../../../src/reactor/reactor.ts'
import type { SocketAddress } from '../../../src/reactor/socket-address.ts'
import { contract } from '../../reactor/support/contract.ts'
import { connectPeer, readAll, servePeer } from '../../reactor/support/peer.ts'
import { loopback, withReactor } from '../../reactor/support/with-reactor.ts'

/** What a service behind a cluster address is known by. */
const asked: SocketAddress = { address: '10.96.0.1', port: 443 }

/** A relay to one endpoint that introduces its clients; gives its address. */
async function openRelay(
  reactor: Reactor,
  endpoint: SocketAddress,
  proxyProtocol: ProxyProtocolVersion,
  also: Pick<RelayTarget, 'asked'>,
): Promise<SocketAddress> {
  const picker = new EndpointPicker({ random: () => 0, now: () => 0 })
  const relay = new TcpRelay(reactor, picker, { ...defaultRelayOptions, proxyProtocol })
  const pool = {
    key: 'default/web:/TCP/cluster/4',
    family: 4,
    protocol: 'TCP',
    backends: [{ ...endpoint, isLocal: true }],
    affinitySeconds: 0,
  } as const
  const handler = relay.accept(() => ({ frontend: '4/TCP/10.96.0.1:443', pool, ...also }))
  return (await reactor.listen(loopback, { startsPaused: true }, handler)).address
}

/** Sends `hello` through a relay; gives what the endpoint got, and the client's socket. */
async function greet(
  reactor: Reactor,
  version: ProxyProtocolVersion,
  also: Pick<RelayTarget, 'asked'>,
): Promise<{ received: Buffer; client: Socket; relay: SocketAddress; clientPort: number }> {
  const received = Promise.withResolvers<Buffer>()
  const { address, server } = await servePeer((socket) => {
    received.resolve(readAll(socket).finally(() => socket.end()))
  })
  const relay = await openRelay(reactor, address, version, also)
  const client = await connectPeer(relay)
  const { localPort: clientPort = 0 } = client
  client.end('hello').resume()
  const bytes = await received.promise
  await once(client, 'close')
  server.close()
  return { received: bytes, client, relay, clientPort }
}

/** What `--userspace-proxy-protocol` promises, on every engine. */
const { test, run } = contract('clients are introduced to endpoints')

for (const version of ['v1', 'v2'] as const) {
  test(`${version}: the header comes first, with what the client asked for`, (engine) =>
    withReactor(engine, async (reactor) => {
      const { received, clientPort } = await greet(reactor, version, { asked })
      const header = decodeProxyHeader(received)
      if (header.kind !== 'header') throw new Error(`got ${header.kind}: ${received}`)
      assert.equal(header.flow, {
        source: { address: '127.0.0.1', port: clientPort },
        destination: asked,
      })
      assert.is(received.subarray(header.byteCount).toString(), 'hello')
      // The first line of version 1, the signature of version 2.
      assert.is(received.toString('latin1', 0, 5) === 'PROXY', version === 'v1')
    }))
}

test('who asked for the relay itself is said to have done so', (engine) =>
  withReactor(engine, async (reactor) => {
    const { received, relay } = await greet(reactor, 'v1', {})
    assert.match(received.toString(), ` ${relay.address} `)
    assert.match(received.toString(), ` ${relay.port}\r\nhello`)
  }))

run()
