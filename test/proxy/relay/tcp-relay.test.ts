import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import * as assert from 'uvu/assert'
import { type Frontend, frontendKey } from '../../../src/proxy/plan/plan.ts'
import { EndpointPicker } from '../../../src/proxy/relay/endpoint-picker.ts'
import type { RelayOptions } from '../../../src/proxy/relay/relay-options.ts'
import { TcpRelay } from '../../../src/proxy/relay/tcp-relay.ts'
import type { Reactor } from '../../../src/reactor/reactor.ts'
import type { SocketAddress } from '../../../src/reactor/socket-address.ts'
import { contract } from '../../reactor/support/contract.ts'
import { servePeer } from '../../reactor/support/peer.ts'
import { loopback, withReactor } from '../../reactor/support/with-reactor.ts'
import { backendAt, frontendOver, patientOptions, targetOf, watchDials } from './relay-fixture.ts'

/** Always the first of those that are left. */
const firstPicker = (): EndpointPicker => new EndpointPicker({ random: () => 0, now: () => 0 })

async function openRelay(
  reactor: Reactor,
  frontend: Frontend | undefined,
  options: Partial<RelayOptions> = {},
): Promise<{ relay: TcpRelay; address: SocketAddress }> {
  const relay = new TcpRelay(reactor, firstPicker(), { ...patientOptions, ...options })
  const handler = relay.accept(() => frontend && targetOf(frontend))
  const { address } = await reactor.listen(loopback, { startsPaused: true }, handler)
  return { relay, address }
}

/** An address at which nobody listens. */
async function deadEndpoint(): Promise<SocketAddress> {
  const { address, server } = await servePeer(() => {})
  server.close()
  await once(server, 'close')
  return address
}

/** A server that says its name to whoever connects, and ends when the other side does. */
async function namedEndpoint(name: string): Promise<{ address: SocketAddress; close(): void }> {
  const sockets = new Set<Socket>()
  const { address, server } = await servePeer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('end', () => socket.end())
    socket.write(name)
  })
  return {
    address,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** How a client's connection ends: the code of its error, or `closed`. */
function fateOf({ address, port }: SocketAddress): { socket: Socket; fate: Promise<string> } {
  const socket = connect({ host: address, port, allowHalfOpen: true })
  const { promise: fate, resolve } = Promise.withResolvers<string>()
  socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message))
  socket.on('end', () => socket.end()).on('close', () => resolve('closed'))
  return { socket, fate }
}

async function firstWord(socket: Socket): Promise<string> {
  const [bytes] = await once(socket, 'data')
  return String(bytes)
}

const { test, run } = contract('proxy/relay/tcp-relay')

test('an endpoint that refuses costs the client nothing: another one is dialled', (engine) =>
  withReactor(engine, async (reactor) => {
    const living = await namedEndpoint('living')
    const dead = [await deadEndpoint(), await deadEndpoint()]
    const watched = watchDials(reactor)
    const frontend = frontendOver('TCP', [...dead, living.address])
    const { address } = await openRelay(watched.reactor, frontend)
    const { socket: client } = fateOf(address)
    assert.is(await firstWord(client), 'living')
    const ports = [...dead, living.address].map(({ port }) => port)
    assert.equal(watched.dials, [
      [ports[0] ?? 0, 250],
      [ports[1] ?? 0, 500],
      [ports[2] ?? 0, 1_000],
    ])
    client.destroy()
    living.close()
  }))

test('four attempts with growing timeouts, then the client is reset', (engine) =>
  withReactor(engine, async (reactor) => {
    const dead = [await deadEndpoint(), await deadEndpoint()]
    const watched = watchDials(reactor)
    const { address } = await openRelay(watched.reactor, frontendOver('TCP', dead))
    assert.is(await fateOf(address).fate, 'ECONNRESET')
    assert.equal(
      watched.dials.map(([, timeoutMs]) => timeoutMs),
      [250, 500, 1_000, 2_000],
    )
    assert.equal(new Set(watched.dials.map(([port]) => port)).size, 2, 'both were tried')
  }))

test('a client of a frontend that serves nobody is reset', (engine) =>
  withReactor(engine, async (reactor) => {
    const { address } = await openRelay(reactor, undefined)
    assert.is(await fateOf(address).fate, 'ECONNRESET')
  }))

test('a connection on which nothing happens ends after the idle timeout', (engine) =>
  withReactor(engine, async (reactor) => {
    const endpoint = await namedEndpoint('x')
    const frontend = frontendOver('TCP', [endpoint.address])
    const { address } = await openRelay(reactor, frontend, { idleTimeoutMs: 60 })
    const { socket: client, fate } = fateOf(address)
    await firstWord(client)
    assert.is(await fate, 'ECONNRESET')
    endpoint.close()
  }))

for (const drain of ['continue', 'reset'] as const) {
  test(`drain ${drain}: connections to an endpoint that is gone`, (engine) =>
    withReactor(engine, async (reactor) => {
      const [gone, other] = [await namedEndpoint('gone'), await namedEndpoint('other')]
      const frontend = frontendOver('TCP', [gone.address, other.address])
      const { relay, address } = await openRelay(reactor, frontend, { drain })
      const { socket: client, fate } = fateOf(address)
      assert.is(await firstWord(client), 'gone')
      relay.endpointsChanged(frontendKey(frontend), [backendAt(other.address)])
      if (drain === 'continue') client.end()
      assert.is(await fate, drain === 'reset' ? 'ECONNRESET' : 'closed')
      gone.close()
      other.close()
    }))
}

test('drain reset: connections to endpoints that stay go on', (engine) =>
  withReactor(engine, async (reactor) => {
    const [stays, gone] = [await namedEndpoint('stays'), await namedEndpoint('gone')]
    const frontend = frontendOver('TCP', [stays.address, gone.address])
    const { relay, address } = await openRelay(reactor, frontend, { drain: 'reset' })
    const { socket: client, fate } = fateOf(address)
    assert.is(await firstWord(client), 'stays')
    relay.endpointsChanged(frontendKey(frontend), [backendAt(stays.address)])
    client.end()
    assert.is(await fate, 'closed')
    stays.close()
    gone.close()
  }))

run()
