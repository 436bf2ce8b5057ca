import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NetlinkError } from '../../../src/netlink/netlink-error.ts'
import { NftablesConnection } from '../../../src/netlink/nftables/connection.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { needsRoot } from '../../support/needs-root.ts'
import {
  affinity,
  kinds,
  pods,
  ranges,
  serviceKey,
  services,
  writeSampleTable,
} from './sample-table.ts'

const test = suite('netlink/nftables/connection')
const root = needsRoot(test)

async function withConnection(
  body: (connection: NftablesConnection) => void | Promise<void>,
): Promise<void> {
  await inFreshNamespace(async () => {
    const connection = NftablesConnection.open()
    try {
      await body(connection)
    } finally {
      connection.close()
    }
  })
}

function refusal(body: () => void): NetlinkError {
  try {
    body()
  } catch (error) {
    if (error instanceof NetlinkError) return error
    throw error
  }
  throw new Error('expected a NetlinkError')
}

root('what was written is read back', () =>
  withConnection((connection) => {
    writeSampleTable(connection)
    assert.equal(connection.listTables(), [{ family: 'ip', name: 'portolan', comment: 'ours' }])
    const sets = connection.listSets('ip', 'portolan')
    assert.equal(sets.map(plain), [services, ranges, pods, kinds, affinity].map(plain))
    const [prerouting, refuse] = connection.listChains('ip', 'portolan')
    assert.equal(prerouting, {
      name: 'prerouting',
      hook: { type: 'nat', hook: 'prerouting', priority: -100 },
      comment: 'received flows',
    })
    assert.equal(refuse, { name: 'refuse' })
    assert.equal(connection.listElements('ip', 'portolan', 'services'), [
      { key: serviceKey(10), value: '\x07\0\0\0', comment: 'default/web:http' },
    ])
    assert.equal(connection.listElements('ip', 'portolan', 'ranges'), [
      { key: '\x0a\x60\0\x0a\xc0\xa8\0\0', keyEnd: '\x0a\x60\0\x0a\xc0\xa8\0\xff' },
    ])
    assert.equal(connection.listElements('ip', 'portolan', 'pods'), [
      { key: '\x0a\xf4\x01\0', isIntervalEnd: true },
      { key: '\x0a\xf4\0\0' },
    ])
    assert.equal(connection.listElements('ip', 'portolan', 'kinds'), [
      { key: '\x01\0\0\0', comment: 'no endpoint', verdict: { code: -4, chain: 'refuse' } },
    ])
    const [entry] = connection.listElements('ip', 'portolan', 'affinity')
    assert.is(entry?.timeoutMs, 10_800_000)
    assert.ok((entry?.expiresInMs ?? 0) > 10_000_000)
  }),
)

root('nft lists it readably', () =>
  withConnection((connection) => {
    writeSampleTable(connection)
    const listing = execFileSync('nft', ['list', 'table', 'ip', 'portolan'], { encoding: 'utf8' })
    for (const text of [
      'comment "ours"',
      'typeof ip daddr . meta l4proto . th dport : meta mark',
      'comment "frontends"',
      '10.96.0.10 . tcp . 80 comment "default/web:http" : 0x00000007',
      '10.96.0.10 . 192.168.0.0/24',
      '10.244.0.0/24',
      'typeof meta mark : verdict',
      '0x00000001 comment "no endpoint" : goto refuse',
      'size 1024',
      'timeout 3h',
      'type nat hook prerouting priority dstnat; policy accept;',
      'comment "nobody is there"',
    ]) {
      assert.ok(listing.includes(text), `${text} in\n${listing}`)
    }
  }),
)

root('the JSON listing of nft has the same objects', () =>
  withConnection((connection) => {
    writeSampleTable(connection)
    const text = execFileSync('nft', ['-j', 'list', 'ruleset'], { encoding: 'utf8' })
    const { nftables }: { nftables: Record<string, { name?: string; handle?: number }>[] } =
      JSON.parse(text)
    const names = (kind: string) => nftables.flatMap((entry) => entry[kind]?.name ?? [])
    const found = connection.listSets('ip', 'portolan').map(({ name }) => name)
    assert.equal([...names('set'), ...names('map')].sort(), found.sort())
    const chains = connection.listChains('ip', 'portolan').map(({ name }) => name)
    assert.equal(names('chain'), chains)
    const handles = nftables.flatMap((entry) => entry.rule?.handle ?? [])
    const rules = connection.listRules('ip', 'portolan')
    assert.equal(
      rules.map(({ handle }) => Number(handle)),
      handles,
    )
  }),
)

root('elements go, one by one and all at once', () =>
  withConnection((connection) => {
    writeSampleTable(connection)
    const first = connection.newBatch()
    for (let last = 0; last < 200; last++) {
      if (last !== 10) first.addElement('ip', 'portolan', services, serviceKey(last), '\x01\0\0\0')
    }
    first.deleteElement('ip', 'portolan', services, serviceKey(10))
    assert.equal(connection.commit(first).messages, 2)
    assert.is(connection.listElements('ip', 'portolan', 'services').length, 199)
    const second = connection.newBatch()
    second.flushSet('ip', 'portolan', 'services')
    second.deleteSetElement('ip', 'portolan', pods, { key: '\x0a\xf4\0\0' })
    second.deleteSetElement('ip', 'portolan', pods, { key: '\x0a\xf4\x01\0', isIntervalEnd: true })
    second.flushChain('ip', 'portolan', 'refuse')
    connection.commit(second)
    assert.equal(connection.listElements('ip', 'portolan', 'services'), [])
    assert.equal(connection.listElements('ip', 'portolan', 'pods'), [])
    assert.equal(connection.listRules('ip', 'portolan'), [])
  }),
)

root('20,000 elements are split over messages and all arrive', () =>
  withConnection(async (connection) => {
    writeSampleTable(connection)
    const batch = connection.newBatch()
    const keys = new Set<string>([serviceKey(10)])
    for (let index = 0; index < 20_000; index++) {
      const key = String.fromCharCode(10, 97, index >> 8, index & 255, 17, 0, 0, 0, 0, 53, 0, 0)
      keys.add(key)
      batch.addElement('ip', 'portolan', services, key, '\x01\0\0\0', `namespace/service-${index}`)
    }
    assert.ok(connection.commit(batch).messages > 20)
    // A dump misses elements while the kernel's hash table is still growing after a large batch.
    for (let dump = 0; dump < 100 && keys.size > 0; dump++) {
      connection.forEachElement('ip', 'portolan', 'services', (key) => keys.delete(key))
      if (keys.size > 0) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.is(keys.size, 0)
  }),
)

root('a refused batch names each operation and changes nothing', () =>
  withConnection((connection) => {
    writeSampleTable(connection)
    const generation = connection.generation()
    const batch = connection.newBatch()
    batch.addElement('ip', 'portolan', services, serviceKey(11), '\x01\0\0\0')
    batch.addElement('ip', 'portolan', services, serviceKey(10), '\x08\0\0\0')
    batch.deleteSet('ip', 'portolan', 'nowhere')
    batch.addRule('ip', 'portolan', { chain: 'missing', expressions: [] })
    batch.deleteElement('ip', 'portolan', services, serviceKey(99))
    const error = refusal(() => connection.commit(batch))
    assert.equal(
      error.failures.map(({ operation, errno }) => [operation, errno]),
      [
        ['add element ip portolan services 10.96.0.10 . tcp . 80', 17],
        ['delete set ip portolan nowhere', 2],
        ['add rule ip portolan missing', 2],
        ['delete element ip portolan services 10.96.0.99 . tcp . 80', 2],
      ],
    )
    assert.match(
      error.message,
      /services 10.96.0.10 . tcp . 80: EEXIST \(File exists\), attribute elements\[1\] \(and/,
    )
    assert.match(error.message, /\(and 3 more refused\)$/)
    assert.is(connection.generation(), generation)
    assert.is(connection.listElements('ip', 'portolan', 'services').length, 1)
  }),
)

root('a missing set is ENOENT with its name', () =>
  withConnection((connection) => {
    const error = refusal(() => connection.listElements('ip', 'portolan', 'services'))
    assert.is(error.errnoName, 'ENOENT')
    assert.is(error.operation, 'list elements of ip portolan services')
  }),
)

root('a batch for an older generation is refused', () =>
  withConnection((connection) => {
    const generation = connection.generation()
    writeSampleTable(connection)
    assert.ok(connection.generation() > generation)
    const batch = connection.newBatch(generation)
    batch.deleteTable('ip', 'portolan')
    assert.is(refusal(() => connection.commit(batch)).errnoName, 'ERESTART')
    assert.is(connection.listTables().length, 1)
  }),
)

root('an empty batch is not sent, and none is sent twice', () =>
  withConnection((connection) => {
    assert.equal(connection.commit(connection.newBatch()), { bytes: 0, messages: 0 })
    const batch = connection.newBatch()
    batch.addTable({ family: 'ip6', name: 't' })
    connection.commit(batch)
    assert.throws(() => connection.commit(batch), /a batch is committed once/)
    assert.equal(connection.listTables(), [{ family: 'ip6', name: 't' }])
  }),
)

root('without CAP_NET_ADMIN a write is EPERM and says what to do', async () => {
  const program = `
    import { NftablesConnection } from ${JSON.stringify(new URL('../../../src/netlink/nftables/connection.ts', import.meta.url).href)}
    const connection = NftablesConnection.open()
    const batch = connection.newBatch()
    batch.addTable({ family: 'ip', name: 'portolan' })
    try { connection.commit(batch) } catch (error) { console.log(error.message) }`
  await inFreshNamespace(() => {
    const args = ['--bounding-set=-net_admin', '--inh-caps=-net_admin', process.execPath]
    const node = [...args, '--input-type=module', '-e', program]
    const output = execFileSync('setpriv', node, { encoding: 'utf8' })
    assert.match(output, /^nftables: commit .*EPERM .*run as root or with CAP_NET_ADMIN/)
  })
})

/** User data as bytes of one class, so that sets can be compared. */
function plain(set: typeof services): unknown {
  return { ...set, userData: Buffer.from(set.userData ?? []).toString('hex') }
}

test.run()
