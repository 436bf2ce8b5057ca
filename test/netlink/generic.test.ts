import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeAttributes, encodeAttributes } from '../../src/netlink/attributes.ts'
import { controlAttributes, GenericConnection } from '../../src/netlink/generic.ts'
import { NetlinkError } from '../../src/netlink/netlink-error.ts'

const test = suite('netlink/generic')

/** The family that lists families; every kernel has it. CTRL_CMD_GETFAMILY is 3. */
const control = { name: 'nlctrl', version: 2, getFamily: 3 } as const

function withControl(body: (connection: GenericConnection) => void): void {
  const connection = GenericConnection.open(control.name, control.version)
  try {
    body(connection)
  } finally {
    connection.close()
  }
}

test('a family is found by its name, and asked about itself', () =>
  withControl((connection) => {
    const found: unknown[] = []
    connection.get(
      control.getFamily,
      (writer) => encodeAttributes(writer, controlAttributes, { familyName: control.name }),
      () => 'get family',
      (bytes, start, end) =>
        found.push(decodeAttributes(controlAttributes, bytes, 'family', start, end)),
    )
    assert.equal(found, [{ familyId: 16, familyName: control.name }])
  }))

test('a list has every family', () =>
  withControl((connection) => {
    const names: (string | undefined)[] = []
    connection.dump(
      control.getFamily,
      () => {},
      () => 'list families',
      (bytes, start, end) =>
        names.push(decodeAttributes(controlAttributes, bytes, 'family', start, end).familyName),
    )
    assert.ok(names.includes(control.name))
    assert.ok(names.length > 1)
  }))

test('a family that is not there is an error that names it', () => {
  assert.throws(
    () => GenericConnection.open('no-such-family', 1),
    (error: unknown) =>
      error instanceof NetlinkError &&
      error.message ===
        'no-such-family: find generic netlink family no-such-family: ENOENT (No such file or object)',
  )
})

test('of many requests exactly the refused ones are named', () =>
  withControl((connection) => {
    const ask = (name: string) => ({
      command: control.getFamily,
      write: (writer: Parameters<typeof encodeAttributes>[0]) =>
        encodeAttributes(writer, controlAttributes, { familyName: name }),
      describe: () => `get family ${name}`,
    })
    let error: unknown
    try {
      connection.send([ask(control.name), ask('wrong'), ask(control.name), ask('worse')])
    } catch (caught) {
      error = caught
    }
    assert.instance(error, NetlinkError)
    if (!(error instanceof NetlinkError)) return
    assert.equal(
      error.failures.map(({ operation, errno }) => [operation, errno]),
      [
        ['get family wrong', 2],
        ['get family worse', 2],
      ],
    )
    assert.equal(connection.send([]), { requests: 0, bytes: 0 })
  }))

test('more requests than fit into one piece are all sent', () =>
  withControl((connection) => {
    const request = {
      command: control.getFamily,
      write: (writer: Parameters<typeof encodeAttributes>[0]) =>
        encodeAttributes(writer, controlAttributes, { familyName: control.name }),
      describe: () => 'get family',
    }
    const { requests, bytes } = connection.send(Array.from({ length: 10_000 }, () => request))
    assert.is(requests, 10_000)
    assert.is(bytes, 10_000 * 32)
  }))

test.run()
