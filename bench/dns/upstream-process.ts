/** The upstream of the DNS benchmark, a process of its own: prints its port, then answers every A query
 *  with one address and every other one with no data, NXDOMAIN under `emptySuffix`, until it is killed. */
import { createSocket } from 'node:dgram'
import process from 'node:process'
import { emptySuffix } from './bench-names.ts'

/** Wire form of the suffix that nothing exists under. */
const suffix = Buffer.concat([
  ...emptySuffix
    .split('.')
    .map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
  Buffer.of(0),
])
const typeA = 1
/** A compressed name that points at the question, type A, class IN, TTL 3600, 4 bytes: 192.0.2.1. */
const address = Buffer.of(0xc0, 12, 0, typeA, 0, 1, 0, 0, 0x0e, 0x10, 0, 4, 192, 0, 2, 1)
/** The root's SOA, TTL 3600: names `.`, numbers of no meaning but the minimum, 3600. */
const soa = Buffer.from(`000006000100000e1000160000${'00000001'.repeat(4)}00000e10`, 'hex')

const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 })
socket.on('message', (query, from) => {
  const questionEnd = query.indexOf(0, 12) + 5
  if (query.length < 17 || questionEnd < 17) return
  const isMissing = query
    .subarray(12, questionEnd - 4)
    .toString('latin1')
    .endsWith(suffix.toString('latin1'))
  const hasAddress = !isMissing && query.readUInt16BE(questionEnd - 4) === typeA
  const answer = Buffer.concat([query.subarray(0, questionEnd), hasAddress ? address : soa])
  answer.writeUInt16BE(isMissing ? 0x8183 : 0x8180, 2)
  answer.writeUInt16BE(1, 4)
  answer.writeUInt16BE(hasAddress ? 1 : 0, 6)
  answer.writeUInt16BE(hasAddress ? 0 : 1, 8)
  answer.writeUInt16BE(0, 10)
  socket.send(answer, from.port, from.address)
})
socket.bind(0, '127.0.0.1', () => process.stdout.write(`${socket.address().port}\n`))
