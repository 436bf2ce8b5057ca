import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Backend, Pool } from '../../../src/proxy/plan/plan.ts'
import { EndpointPicker } from '../../../src/proxy/relay/endpoint-picker.ts'
import { defaultRelayOptions, type RelayOptions } from '../../../src/proxy/relay/relay-options.ts'
import { TcpRelay } from '../../../src/proxy/relay/tcp-relay.ts'
import { openReactor } from '../../../src/reactor/open-reactor.ts'
import type { EngineName, Reactor } from '../../../src/reactor/reactor.ts'
import { openDescriptors } from '../../support/open-descriptors.ts'
import { Random } from '../random.ts'
import { type Manners, type PeerEnd, runPeer } from './storm-peer.ts'

/** What a storm is made of. */
export interface StormOrder {
  readonly engine: EngineName
  readonly seed: number
  /** Relayed connections, and how many at once. */
  readonly count: number
  readonly width: number
}

/** Little, so that buffers and room to send run out again and again. */
const limits = { receiveBytes: 1 << 20, copyBytes: 1 << 20, pendingBytes: 1 << 16, lingerMs: 500 }

/** Pairs of which neither side moves end after this. */
const idleTimeoutMs = 40

/** No time-out of a busy machine looks like a fault. */
const dialTimeoutsMs = [10_000, 10_000, 10_000, 10_000]

/** A port on which nobody listens, and that no connection is given: one to itself would be made. */
const nobody = 1

/** One address that clients connect to. */
interface Lane {
  readonly manners: Manners
  /** Whether an endpoint is there; without one, clients must be cut off. */
  readonly hasEndpoint: boolean
  readonly port: number
}

/** Sends connections of random peers through a relay. Gives everything that must not happen: bytes that are wrong
 *  or missing, ends that do not come, and what is left at the end. */
export async function relayStorm(order: StormOrder, signal: AbortSignal): Promise<string[]> {
  const before = openDescriptors()
  const abort = new AbortController()
  const reactor = openReactor(
    { engine: order.engine, isChecked: true, limits: { ...limits, connections: 4 * order.width } },
    abort.signal,
  )
  const faults: string[] = []
  const random = new Random(order.seed)
  const servers: Server[] = []
  const serverEnds = new Set<Promise<void>>()
  const serve = async (manners: Manners): Promise<number> => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const run = runPeer(socket, new Random(random.below(2 ** 31)), manners).then((end) => {
        judge('server', manners, true, end, faults)
        serverEnds.delete(run)
      })
      serverEnds.add(run)
    })
    servers.push(server.listen(0, '127.0.0.1'))
    await once(server, 'listening')
    return portOf(server)
  }
  const lanes = await openLanes(reactor, serve, random)
  let started = 0
  const clients = async (): Promise<void> => {
    while (started < order.count && faults.length < 10 && !signal.aborted) {
      started++
      const lane = random.pick(lanes)
      const socket: Socket = connect({ host: '127.0.0.1', port: lane.port, allowHalfOpen: true })
      const end = await runPeer(socket, new Random(random.below(2 ** 31)), lane.manners)
      judge('client', lane.manners, lane.hasEndpoint, end, faults)
    }
  }
  await Promise.all(Array.from({ length: order.width }, clients))
  await Promise.all(serverEnds)
  faults.push(...(await leftovers(reactor)))
  abort.abort()
  await reactor.closed.catch((error) => faults.push(String(error)))
  for (const server of servers) server.close()
  for (let turn = 0; turn < 100 && openDescriptors() > before; turn++) await wait(10)
  const left = openDescriptors() - before
  return left > 0 ? [...faults, `${left} descriptors are left`] : faults
}

async function openLanes(
  reactor: Reactor,
  serve: (manners: Manners) => Promise<number>,
  random: Random,
): Promise<readonly Lane[]> {
  const orderly = await serve('orderly')
  const lane = async (
    manners: Manners,
    endpoints: readonly [number, ...number[]],
    options: Partial<RelayOptions> = {},
  ): Promise<Lane> => {
    const picker = new EndpointPicker({
      random: () => random.below(1 << 20) / (1 << 20),
      now: () => performance.now(),
    })
    const relay = new TcpRelay(reactor, picker, {
      ...defaultRelayOptions,
      dialTimeoutsMs,
      ...options,
    })
    const target = { frontend: manners, pool: poolOf(endpoints) }
    const listener = await reactor.listen(
      { address: '127.0.0.1', port: 0 },
      { startsPaused: true },
      relay.accept(() => target),
    )
    const hasEndpoint = endpoints.some((port) => port !== nobody)
    return { manners, hasEndpoint, port: listener.address.port }
  }
  const rude = await lane('rude', [await serve('rude')])
  return [
    await lane('orderly', [orderly]),
    // Reached after a refusal, half of the time.
    await lane('orderly', [orderly, nobody]),
    rude,
    rude,
    await lane('silent', [await serve('silent')], { idleTimeoutMs }),
    await lane('rude', [nobody]),
  ]
}

/** Adds what is wrong with the end of a peer. */
function judge(
  side: string,
  manners: Manners,
  hasEndpoint: boolean,
  { fault, isBroken }: PeerEnd,
  faults: string[],
): void {
  if (fault !== undefined) faults.push(`${side}, ${manners}: ${fault}`)
  else if (manners === 'orderly' && isBroken) faults.push(`${side}, ${manners}: was cut off`)
  else if ((manners === 'silent' || !hasEndpoint) && !isBroken) {
    faults.push(`${side}, ${manners}: was not cut off`)
  }
}

/** What a reactor holds although all peers have gone. */
async function leftovers(reactor: Reactor): Promise<string[]> {
  const held = (): [string, number][] =>
    Object.entries(reactor.counts).filter(([name, count]) => name !== 'listeners' && count > 0)
  for (let turn = 0; turn < 200 && held().length > 0; turn++) await wait(10)
  return held().map(([name, count]) => `${count} ${name} are left`)
}

function poolOf(ports: readonly [number, ...number[]]): Pool {
  const [first, ...others] = ports
  const backend = (port: number): Backend => ({ address: '127.0.0.1', port, isLocal: false })
  return {
    key: `storm/${ports.join()}`,
    family: 4,
    protocol: 'TCP',
    backends: [backend(first), ...others.map(backend)],
    affinitySeconds: 0,
  }
}

function portOf(server: Server): number {
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}
