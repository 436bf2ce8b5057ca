import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ServerProgram } from '../../src/ipvs/compile-service.ts'
import { describeOperation } from '../../src/ipvs/ipvs-connection.ts'
import { diffServer, type PresentServer } from '../../src/ipvs/server-difference.ts'
import { formatDestination, type VirtualServerKey } from '../../src/ipvs/virtual-server.ts'

const test = suite('ipvs/server-difference')

const key = { kind: 'address', family: 4, protocol: 'TCP', address: '10.96.0.1', port: 80 } as const

/** `HOST` or `HOST=WEIGHT`, of 10.1.0.HOST:80. */
function destinations(text: string): ServerProgram['destinations'] {
  return new Map(
    text.split(' ').flatMap((word) => {
      if (word === '') return []
      const [host, weight = '1'] = word.split('=')
      const destination = { address: `10.1.0.${host}`, port: 80, weight: Number(weight) }
      return [[formatDestination(destination), destination]]
    }),
  )
}

function present(text: string, of: VirtualServerKey = key, scheduler = 'rr'): PresentServer {
  const server = { key: of, scheduler, flags: 0, timeoutSeconds: 0 }
  return { server, destinations: destinations(text) }
}

function wanted(text: string, drains = true): ServerProgram {
  return { ...present(text), drains }
}

/** The operations in short, and what is there afterwards. */
function check(
  before: PresentServer | undefined,
  after: ServerProgram | undefined,
  isServed: boolean,
  expected: readonly string[],
): void {
  const { opening, closing, present: left } = diffServer(before, after, isServed)
  const short = (list: typeof opening): string[] =>
    list.map((operation) =>
      describeOperation(operation)
        .replace(/ of virtual server.*| TCP 10\S+( scheduler)?/g, '')
        .replace(/10\.1\.0\.(\d+):80/, '$1')
        .replace('destination ', ''),
    )
  const rest = [...(left?.destinations.values() ?? [])].map(
    ({ address, weight }) => `${address.slice('10.1.0.'.length)}=${weight}`,
  )
  assert.equal(
    [...short(opening), '|', ...short(closing), '|', left === undefined ? 'gone' : rest.join(' ')],
    expected,
  )
}

test('a new server comes with its destinations, before any rule leads to it', () =>
  check(undefined, wanted('1 2'), true, [
    'add virtual server rr',
    'add 1 weight 1',
    'add 2 weight 1',
    '|',
    '|',
    '1=1 2=1',
  ]))

test('nothing changes, nothing is written; what drains goes on draining', () =>
  check(present('1 2=0'), wanted('1'), true, ['|', '|', '1=1 2=0']))

test('one endpoint more is one operation', () =>
  check(present('1'), wanted('1 2'), true, ['add 2 weight 1', '|', '|', '1=1 2=1']))

test('one endpoint less gets weight 0', () =>
  check(present('1 2'), wanted('1'), true, ['|', 'edit 2 weight 0', '|', '1=1 2=0']))

test('an endpoint that comes back while it drains gets its weight again', () =>
  check(present('1 2=0'), wanted('1 2'), true, ['edit 2 weight 1', '|', '|', '1=1 2=1']))

test('what does not drain is deleted at once', () =>
  check(present('1 2'), wanted('1', false), true, ['|', 'delete 2', '|', '1=1']))

test('another scheduler is an edit', () =>
  check(present('1', key, 'lc'), wanted('1'), true, ['edit virtual server rr', '|', '|', '1=1']))

test('a frontend without endpoints lets its connections end', () => {
  check(present('1 2'), undefined, true, [
    '|',
    'edit 1 weight 0',
    'edit 2 weight 0',
    '|',
    '1=0 2=0',
  ])
  check(present(''), undefined, true, ['|', 'delete virtual server', '|', 'gone'])
})

test('a frontend that is gone takes its virtual server along', () =>
  check(present('1'), undefined, false, ['|', 'delete virtual server', '|', 'gone']))

test('a UDP server does not wait', () =>
  check(present('1', { ...key, protocol: 'UDP' }), undefined, true, [
    '|',
    'delete virtual server UDP 10.96.0.1:80',
    '|',
    'gone',
  ]))

test.run()
