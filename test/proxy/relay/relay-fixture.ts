import type { Protocol } from '../../../src/net/protocol.ts'
import { type Backend, type Frontend, frontendKey } from '../../../src/proxy/plan/plan.ts'
import type { RelayOptions } from '../../../src/proxy/relay/relay-options.ts'
import { RelayTable, type RelayTarget } from '../../../src/proxy/relay/relay-table.ts'
import type { ConnectOptions, Reactor } from '../../../src/reactor/reactor.ts'
import type { SocketAddress } from '../../../src/reactor/socket-address.ts'

/** Options under which nothing ends by itself. */
export const patientOptions: RelayOptions = {
  dialTimeoutsMs: [250, 500, 1_000, 2_000],
  idleTimeoutMs: 0,
  drain: 'continue',
  source: 'node',
  sessionTimeoutMs: { unanswered: 60_000, answered: 60_000 },
  sessionLimit: 100,
}

/** An endpoint on this node. */
export function backendAt({ address, port }: SocketAddress): Backend {
  return { address, port, isLocal: true }
}

/** A frontend of everybody over endpoints; without any it rejects. */
export function frontendOver(protocol: Protocol, endpoints: readonly SocketAddress[]): Frontend {
  const [first, ...others] = endpoints.map(backendAt)
  const action =
    first === undefined
      ? ({ kind: 'reject' } as const)
      : ({
          kind: 'balance',
          masquerade: 'always',
          pool: {
            key: `ns/web:p/${protocol}/cluster/4`,
            family: 4,
            protocol,
            backends: [first, ...others],
            affinitySeconds: 0,
          },
        } as const)
  return {
    service: 'ns/web',
    portName: 'p',
    kind: 'cluster-ip',
    family: 4,
    address: '10.96.0.1',
    protocol,
    port: 80,
    sourceRanges: undefined,
    actions: { pod: action, node: action, outside: action },
    servingAddresses: endpoints.map(({ address }) => address),
  }
}

/** Where flows to a frontend go. */
export function targetOf(frontend: Frontend): RelayTarget {
  const table = new RelayTable()
  table.update([{ before: undefined, after: { frontends: [frontend] } }])
  const { family, protocol, port } = frontend
  const found = table.find({ source: 'node', family, protocol, address: '10.96.0.1', port })
  if (found === undefined) throw new Error(`${frontendKey(frontend)} leads nowhere`)
  return found
}

/** A reactor that notes where it connects to, and with which timeout. */
export function watchDials(reactor: Reactor): { reactor: Reactor; dials: [number, number][] } {
  const dials: [number, number][] = []
  const watched = new Proxy(reactor, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (name === 'connect') {
          const [{ port }, { timeoutMs }] = args as [SocketAddress, ConnectOptions]
          dials.push([port, timeoutMs])
        }
        return value.apply(target, args)
      }
    },
  })
  return { reactor: watched, dials }
}
