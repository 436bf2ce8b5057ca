/** Sends datagrams from several sockets, each with a bounded number under way, and counts those that come back;
 *  prints the counts as JSON after the time. */
import process from 'node:process'
import { addressRecordBytes } from '../../src/reactor/address-record.ts'
import type { DatagramSocket } from '../../src/reactor/datagram.ts'
import { openReactor } from '../../src/reactor/open-reactor.ts'

interface Order {
  readonly port: number
  readonly flows: number
  readonly window: number
  readonly seconds: number
}

/** What came of it. */
export interface UdpLoadResult {
  readonly roundTrips: number
  readonly lost: number
}

/** Bytes of each datagram. */
const payload = Buffer.alloc(64)
/** A flow from which nothing came for this long has lost what was under way. */
const lossMs = 100

const order: Order = JSON.parse(process.argv[2] ?? '{}')
const abort = new AbortController()
const reactor = openReactor({ drive: 'blocking' }, abort.signal)
/** Sockets with a peer ignore it. */
const record = new Uint8Array(addressRecordBytes)
let roundTrips = 0
let lost = 0

const flows: { readonly socket: DatagramSocket; answered: number; before: number }[] = []
const bySocket = new Map<DatagramSocket, (typeof flows)[number]>()

function send(socket: DatagramSocket, count: number): void {
  for (let index = 0; index < count; index++) socket.send(record, 0, payload, 0, payload.length)
}

function checkLosses(): void {
  for (const flow of flows) {
    if (flow.answered === flow.before) {
      lost += order.window
      send(flow.socket, order.window)
    }
    flow.before = flow.answered
  }
  reactor.startTimer(lossMs, 0, checkLosses)
}

for (let index = 0; index < order.flows; index++) {
  const socket = await reactor.openDatagram(
    {
      address: { address: '127.0.0.1', port: 0 },
      peer: { address: '127.0.0.1', port: order.port },
      bufferBytes: 1 << 20,
    },
    {
      onBatch(from, batch) {
        const flow = bySocket.get(from)
        if (flow === undefined) return
        flow.answered += batch.count
        roundTrips += batch.count
        send(from, batch.count)
      },
      onError() {},
    },
  )
  const flow = { socket, answered: 0, before: 0 }
  flows.push(flow)
  bySocket.set(socket, flow)
}
for (const { socket } of flows) send(socket, order.window)
reactor.startTimer(lossMs, 0, checkLosses)
reactor.startTimer(order.seconds * 1_000, 0, () => {
  const result: UdpLoadResult = { roundTrips, lost }
  process.stdout.write(`${JSON.stringify(result)}\n`)
  abort.abort()
})
