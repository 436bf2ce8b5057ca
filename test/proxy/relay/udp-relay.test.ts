import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import * as assert from 'uvu/assert'
import { type Frontend, frontendKey } from '../../../src/proxy/plan/plan.ts'
import { EndpointPicker } from '../../../src/proxy/relay/endpoint-picker.ts'
import type { RelayOptions } from '../../../src/proxy/relay/relay-options.ts'
import { UdpRelay } from '../../../src/proxy/relay/udp-relay.ts'
import type { Reactor } from '../../../src/reactor/reactor.ts'
import type { SocketAddress } from '../../../src/reactor/socket-address.ts'
import { contract } from '../../reactor/support/contract.ts'
import { loopback, withReactor } from '../../reactor/support/with-reactor.ts'
import { frontendOver, patientOptions, targetOf } from './relay-fixture.ts'

/** A relay whose clock a test moves, and which leads to what `frontend` is at the moment. */
async function openRelay(
  reactor: Reactor,
  state: { frontend: Frontend; nowMs: number },
  options: Partial<RelayOptions> = {},
): Promise<{ relay: UdpRelay; port: number }> {
  const clock = { random: () => 0, now: () => state.nowMs }
  const relay = new UdpRelay(
    reactor,
    new EndpointPicker(clock),
    { ...patientOptions, ...options },
    clock,
  )
  const handler = relay.accept(() => targetOf(state.frontend))
  const { address } = await reactor.openDatagram({ address: loopback }, handler)
  return { relay, port: address.port }
}

/** A server that answers with its name and the port that asked. */
async function namedEndpoint(
  name: string,
  address = '127.0.0.1',
): Promise<{ address: SocketAddress; socket: Socket }> {
  const socket = createSocket('udp4')
  socket.on('message', (_, from) => socket.send(`${name} ${from.port}`, from.port, from.address))
  socket.bind(0, address)
  await once(socket, 'listening')
  return { address: { address, port: (socket.address() as AddressInfo).port }, socket }
}

async function ask(client: Socket, port: number): Promise<string> {
  const answered = once(client, 'message')
  client.send('who', port, '127.0.0.1')
  return String((await answered)[0])
}

const { test, run } = contract('proxy/relay/udp-relay')

test('a client keeps its session, another one has its own', (engine) =>
  withReactor(engine, async (reactor) => {
    const endpoint = await namedEndpoint('x')
    const state = { frontend: frontendOver('UDP', [endpoint.address]), nowMs: 0 }
    const { relay, port } = await openRelay(reactor, state)
    const clients = [createSocket('udp4'), createSocket('udp4')] as const
    const first = await ask(clients[0], port)
    assert.is(await ask(clients[0], port), first)
    assert.is.not(await ask(clients[1], port), first)
    assert.is(relay.size, 2)
    relay.close()
    for (const socket of [...clients, endpoint.socket]) socket.close()
  }))

test('sessions to an endpoint that is gone end at once, those of others go on', (engine) =>
  withReactor(engine, async (reactor) => {
    const gone = await namedEndpoint('gone')
    const stays = await namedEndpoint('stays', '127.0.0.2')
    const state = { frontend: frontendOver('UDP', [gone.address]), nowMs: 0 }
    const { relay, port } = await openRelay(reactor, state)
    const [moved, other] = [createSocket('udp4'), createSocket('udp4')]
    assert.match(await ask(moved, port), /^gone/)
    state.frontend = frontendOver('UDP', [stays.address])
    const kept = await ask(other, port)
    relay.endpointsChanged(frontendKey(state.frontend), [stays.address.address])
    assert.is(relay.size, 1)
    assert.match(await ask(moved, port), /^stays/)
    assert.is(await ask(other, port), kept)
    relay.close()
    for (const socket of [moved, other, gone.socket, stays.socket]) socket.close()
  }))

test('a silent session ends after its timeout, sooner when it was never answered', (engine) =>
  withReactor(engine, async (reactor) => {
    const endpoint = await namedEndpoint('x')
    const state = { frontend: frontendOver('UDP', [endpoint.address]), nowMs: 0 }
    const timeouts = { sessionTimeoutMs: { unanswered: 30, answered: 90 } }
    const { relay, port } = await openRelay(reactor, state, timeouts)
    const client = createSocket('udp4')
    await ask(client, port)
    const sizes: [number, number][] = []
    // The clock stands where the test puts it; timers only tell when to look at it.
    for (state.nowMs of [40, 89, 90]) {
      const looked = Promise.withResolvers<void>()
      reactor.startTimer(250, 0, () => looked.resolve())
      await looked.promise
      sizes.push([state.nowMs, relay.size])
    }
    assert.equal(sizes, [
      [40, 1],
      [89, 1],
      [90, 0],
    ])
    relay.close()
    client.close()
    endpoint.socket.close()
  }))

test('a full table makes room for the next client', (engine) =>
  withReactor(engine, async (reactor) => {
    const endpoint = await namedEndpoint('x')
    const state = { frontend: frontendOver('UDP', [endpoint.address]), nowMs: 0 }
    const { relay, port } = await openRelay(reactor, state, { sessionLimit: 3 })
    const clients = Array.from({ length: 8 }, () => createSocket('udp4'))
    for (const client of clients) {
      assert.match(await ask(client, port), /^x/)
      assert.ok(relay.size <= 3)
    }
    relay.close()
    for (const socket of [...clients, endpoint.socket]) socket.close()
  }))

run()
