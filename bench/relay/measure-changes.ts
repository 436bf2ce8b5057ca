import { once } from 'node:events'
import { connect } from 'node:net'
import { relayPorts } from './relay-ports.ts'
import type { RunningRelay } from './relay-subject.ts'

/** A relay that has not changed by then is not going to. */
const patienceMs = 5_000

/** Changes the endpoint again and again, and opens connections one after the other until one reaches the new one:
 *  milliseconds from the order to that answer. Rejects when a relay does not change. */
export async function measureChanges(relay: RunningRelay, count: number): Promise<number[]> {
  const times: number[] = []
  for (let turn = 0; turn < count; turn++) {
    const wanted = relayPorts.named[(turn + 1) % 2] ?? 0
    const start = performance.now()
    await relay.changeEndpoint(wanted)
    while ((await ask()) !== wanted) {
      if (performance.now() - start > patienceMs) {
        throw new Error(`no flow reaches the changed endpoint after ${patienceMs} ms`)
      }
    }
    times.push(performance.now() - start)
  }
  return times
}

/** The port of the endpoint that a new connection reaches; 0: none. */
async function ask(): Promise<number> {
  const socket = connect(relayPorts.changing, '127.0.0.1')
  let said = ''
  socket
    .on('error', () => {})
    .on('data', (chunk) => {
      said += String(chunk)
    })
  await once(socket, 'close')
  return Number(said)
}
