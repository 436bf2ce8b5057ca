import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NftablesConnection } from '../../../src/netlink/nftables/connection.ts'
import { type TypeofField, typeofUserData } from '../../../src/netlink/nftables/typeof-user-data.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { needsRoot } from '../../support/needs-root.ts'

const test = suite('netlink/nftables/typeof-user-data')

type Row = readonly [
  family: 'ip' | 'ip6',
  key: readonly TypeofField[],
  data: readonly TypeofField[] | 'verdict' | undefined,
  comment: string | undefined,
]

const rows: readonly Row[] = [
  ['ip', ['ip daddr', 'meta l4proto', 'th dport'], ['meta mark'], 'front'],
  ['ip', ['meta l4proto', 'th dport'], ['meta mark'], undefined],
  ['ip', ['meta mark'], ['meta mark'], undefined],
  ['ip', ['meta mark'], 'verdict', undefined],
  ['ip', ['meta mark', 'numgen random mod 2'], ['ip daddr', 'th dport'], undefined],
  ['ip', ['meta mark', 'ip saddr'], ['meta mark'], undefined],
  ['ip', ['ip saddr'], undefined, undefined],
  ['ip', ['iifname'], undefined, 'pods'],
  ['ip', ['oifname'], undefined, undefined],
  ['ip', ['ip saddr', 'ip daddr', 'meta l4proto', 'th sport'], undefined, undefined],
  ['ip6', ['meta mark', 'numgen random mod 2'], ['ip6 daddr', 'th dport'], undefined],
  ['ip6', ['ip6 saddr', 'ip6 daddr'], undefined, undefined],
]

needsRoot(test)('the bytes are those that nft writes for the same declaration', async () => {
  await inFreshNamespace(() => {
    execFileSync('nft', ['-f', '-'], { input: rows.map(declaration).join('\n') })
    const connection = NftablesConnection.open()
    const sets = new Map(
      (['ip', 'ip6'] as const).flatMap((family) =>
        connection.listSets(family, 't').map((set) => [set.name, set.userData]),
      ),
    )
    rows.forEach(([, key, data, comment], index) => {
      const wanted = Buffer.from(sets.get(`s${index}`) ?? []).toString('hex')
      assert.is(Buffer.from(typeofUserData(key, data, comment)).toString('hex'), wanted, key.join())
    })
    connection.close()
  })
})

function declaration([family, key, data, comment]: Row, index: number): string {
  const value = data === undefined ? '' : ` : ${data === 'verdict' ? data : data.join(' . ')}`
  const note = comment === undefined ? '' : `comment "${comment}";`
  const kind = data === undefined ? 'set' : 'map'
  return `table ${family} t {\n ${kind} s${index} { typeof ${key.join(' . ')}${value}; ${note} }\n}`
}

test.run()
