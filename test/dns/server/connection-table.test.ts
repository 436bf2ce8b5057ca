import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ConnectionTable } from '../../../src/dns/server/connection-table.ts'

const test = suite('dns/server/connection-table')

/** A connection that tells its end only when it is asked to. */
class FakeSocket extends EventEmitter {
  destroyed = false
  readonly remoteAddress: string
  readonly remotePort: number

  constructor(remoteAddress: string, remotePort: number) {
    super()
    this.remoteAddress = remoteAddress
    this.remotePort = remotePort
  }

  destroy(): void {
    this.destroyed = true
  }

  end(): void {
    this.emit('close')
  }
}

/** The table's own type needs a whole socket; it uses only what is here. */
function admit(table: ConnectionTable, socket: FakeSocket): boolean {
  return table.admit(socket as unknown as Socket)
}

test('a full table closes the connection whose last query is the longest ago', () => {
  const table = new ConnectionTable({ total: 2, perClient: 9 })
  const [first, second, third] = [1, 2, 3].map((port) => new FakeSocket('192.0.2.1', port))
  assert.ok(first && second && third)
  admit(table, first)
  admit(table, second)
  table.touch(first)
  assert.is(admit(table, third), true)
  assert.equal([first.destroyed, second.destroyed, third.destroyed], [false, true, false])
  assert.is(table.count, 2)
  second.end()
  assert.is(table.count, 2)
})

test('a client has so many connections, others have theirs', () => {
  const table = new ConnectionTable({ total: 9, perClient: 2 })
  const sockets = [1, 2, 3].map((port) => new FakeSocket('192.0.2.1', port))
  assert.equal(
    sockets.map((socket) => admit(table, socket)),
    [true, true, false],
  )
  assert.is(sockets[2]?.destroyed, true)
  assert.is(admit(table, new FakeSocket('192.0.2.2', 1)), true)
  sockets[0]?.end()
  assert.is(admit(table, new FakeSocket('192.0.2.1', 4)), true)
  assert.is(table.count, 3)
})

test.run()
