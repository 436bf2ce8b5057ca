import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import process from 'node:process'
import { decodeMessage } from '../../src/dns/wire/decode-message.ts'
import { encodeMessage } from '../../src/dns/wire/encode-message.ts'
import { noFlags } from '../../src/dns/wire/message.ts'
import { rcodes } from '../../src/dns/wire/numbers.ts'

/** Services that are asked for; the address of the first one changes. */
export const serviceCount = 100

/** What happened to the queries. */
export interface Counts {
  /** About the cluster: answered as they should be, not at all, otherwise. */
  answered: number
  lost: number
  wrong: number
  /** Given on: answered with an address, otherwise or not at all. */
  forwarded: number
  failed: number
}

/** Clients that ask without a pause. */
export interface Load {
  readonly counts: Counts
  /** Stops, and resolves when the last query was answered or given up. */
  end(): Promise<Counts>
}

/** Clients at a time: for names of the cluster, for forwarded names. */
const clusterClients = 8
const forwardClients = 8
/** A query about the cluster that has no answer after so long is lost; forwarding takes up to 5 s. */
const clusterPatienceMs = 3_000
const forwardPatienceMs = 7_000

/** Asks the server at this port of 127.0.0.1 until `end`. */
export function startLoad(port: number): Load {
  const counts: Counts = { answered: 0, lost: 0, wrong: 0, forwarded: 0, failed: 0 }
  const ending = new AbortController()
  const ask = (count: number, client: (socket: Socket, turn: number) => Promise<void>) =>
    Array.from({ length: count }, async (_, index) => {
      const socket = createSocket('udp4')
      socket.connect(port, '127.0.0.1')
      await once(socket, 'connect')
      for (let turn = index; !ending.signal.aborted; turn++) await client(socket, turn)
      socket.close()
    })
  const clients = [
    ...ask(clusterClients, (socket, turn) => askCluster(socket, turn, counts)),
    ...ask(forwardClients, (socket, turn) => askForwarded(socket, turn, counts)),
  ]
  return {
    counts,
    async end() {
      ending.abort()
      await Promise.all(clients)
      return counts
    },
  }
}

/** The packet of a query for the address of a name. */
export function soakQuery(name: string, id = 1): Uint8Array {
  const questions = [{ name, type: 1, class: 1 }]
  const sections = { answers: [], authority: [], additional: [], edns: undefined }
  const flags = { ...noFlags, rd: true }
  return encodeMessage({ id, flags, opcode: 0, rcode: 0, questions, ...sections }, 512)
}

async function askCluster(socket: Socket, turn: number, counts: Counts): Promise<void> {
  const isThere = turn % 3 > 0
  const service = 1 + (turn % (serviceCount - 1))
  const owner = isThere ? `s${service}` : `absent${turn % 5_000}`
  // Garbage in between must not matter.
  if (turn % 50 === 0) socket.send(Uint8Array.from({ length: turn % 40 }, (_, at) => at * turn))
  const packet = soakQuery(`${owner}.default.svc.cluster.local.`, turn & 0xffff)
  const answer = await exchange(socket, packet, turn & 0xffff, clusterPatienceMs)
  if (answer === undefined) {
    counts.lost++
    process.stdout.write(`lost: ${owner} at ${new Date().toISOString()}\n`)
  } else if (isThere ? isAddress(answer, `10.96.0.${service}`) : isDenial(answer)) counts.answered++
  else counts.wrong++
}

async function askForwarded(socket: Socket, turn: number, counts: Counts): Promise<void> {
  const packet = soakQuery(`n${turn % 3_000}.example.`, turn & 0xffff)
  const answer = await exchange(socket, packet, turn & 0xffff, forwardPatienceMs)
  if (answer !== undefined && isAddress(answer, '192.0.2.1')) counts.forwarded++
  else counts.failed++
}

/** The answer with the id; those to garbage, and late ones, are passed over. */
async function exchange(
  socket: Socket,
  packet: Uint8Array,
  id: number,
  patienceMs: number,
): Promise<ReturnType<typeof decodeMessage> | undefined> {
  const signal = AbortSignal.timeout(patienceMs)
  socket.send(packet)
  try {
    for (;;) {
      const [answer] = (await once(socket, 'message', { signal })) as [Buffer]
      if (answer.readUInt16BE(0) === id && answer.length > 12) return decodeMessage(answer)
    }
  } catch {
    return undefined
  }
}

function isAddress({ answers }: ReturnType<typeof decodeMessage>, address: string): boolean {
  const data = answers[0]?.data
  return data?.kind === 'A' && data.address === address
}

function isDenial({ rcode }: ReturnType<typeof decodeMessage>): boolean {
  return rcode === rcodes.NXDOMAIN
}
