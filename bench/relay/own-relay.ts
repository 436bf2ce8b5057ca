/** Our relay as a process of its own, as userspace mode has it behind its table: prints a line when it listens,
 *  and takes the port of the changing endpoint from each line of its input. Ends with its input. */
import process from 'node:process'
import { createInterface } from 'node:readline'
import type { Frontend, Pool } from '../../src/proxy/plan/plan.ts'
import { frontendKey } from '../../src/proxy/plan/plan.ts'
import { defaultRelayOptions } from '../../src/proxy/relay/relay-options.ts'
import { RelayTable, type RelayTarget } from '../../src/proxy/relay/relay-table.ts'
import { Relays } from '../../src/proxy/relay/relays.ts'
import type { EngineName } from '../../src/reactor/reactor.ts'
import { relayPorts } from './relay-ports.ts'

const address = '127.0.0.1'
const order: { readonly engine: EngineName } = JSON.parse(process.argv[2] ?? '{}')

function frontendOf(protocol: 'TCP' | 'UDP', port: number, endpointPort: number): Frontend {
  const pool: Pool = {
    key: `bench/relay:${port}/${protocol}/cluster/4`,
    family: 4,
    protocol,
    backends: [{ address, port: endpointPort, isLocal: false }],
    affinitySeconds: 0,
  }
  const action = { kind: 'balance', pool, masquerade: 'always' } as const
  return {
    service: 'bench/relay',
    portName: '',
    kind: 'cluster-ip',
    family: 4,
    address,
    protocol,
    port,
    sourceRanges: undefined,
    actions: { pod: action, node: action, outside: action },
  }
}

const table = new RelayTable()
const relays = new Relays({ relay: defaultRelayOptions, engine: order.engine })
const { reactor, tcp, udp } = relays

function find(protocol: 'TCP' | 'UDP', port: number): RelayTarget | undefined {
  return table.find({ source: 'outside', family: 4, protocol, address, port })
}

let changing = frontendOf('TCP', relayPorts.changing, relayPorts.named[0])
const constant = [
  frontendOf('TCP', relayPorts.relay, relayPorts.http),
  frontendOf('UDP', relayPorts.relay, relayPorts.echo),
]
table.update([{ before: undefined, after: { frontends: [...constant, changing] } }])

createInterface(process.stdin)
  .on('line', (port) => {
    const before = changing
    changing = frontendOf('TCP', relayPorts.changing, Number(port))
    table.update([{ before: { frontends: [before] }, after: { frontends: [changing] } }])
    const endpoint = { address, port: Number(port), isLocal: false }
    tcp.endpointsChanged(frontendKey(changing), [endpoint])
  })
  .on('close', () => relays.close())

for (const port of [relayPorts.relay, relayPorts.changing]) {
  await reactor.listen(
    { address, port },
    { startsPaused: true },
    tcp.accept((client) => find('TCP', reactor.localAddress(client)?.port ?? 0)),
  )
}
await reactor.openDatagram(
  { address: { address, port: relayPorts.relay } },
  udp.accept(() => find('UDP', relayPorts.relay)),
)
process.stdout.write(`listening, ${reactor.reason}\n`)
await reactor.closed
