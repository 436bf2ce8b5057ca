import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NftablesConnection } from '../../../src/netlink/nftables/connection.ts'
import { type NftablesChange, watchNftables } from '../../../src/netlink/nftables/watch-nftables.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { needsRoot } from '../../support/needs-root.ts'

const test = suite('netlink/nftables/watch-nftables')
const root = needsRoot(test)

/** Watches until a commit was announced for the `count`th time; fails after 5 s. */
function commits(
  count: number,
  act: () => void,
  exceptPortId?: number,
): Promise<readonly NftablesChange[]> {
  const ending = new AbortController()
  const seen: NftablesChange[] = []
  let left = count
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      ending.abort()
      reject(new Error(`only ${JSON.stringify(seen)} within 5 s`))
    }, 5000)
    watchNftables(
      (change) => {
        seen.push(change)
        if (change.type !== 'commit' || --left > 0) return
        clearTimeout(timer)
        ending.abort()
        resolve(seen)
      },
      ending.signal,
      exceptPortId,
    )
    act()
  })
}

root('changes of others and our own can be told apart', () =>
  inFreshNamespace(async () => {
    const connection = NftablesConnection.open()
    const seen = await commits(2, () => {
      const batch = connection.newBatch()
      batch.addTable({ family: 'ip', name: 'ours' })
      connection.commit(batch)
      execFileSync('nft', ['add', 'table', 'ip6', 'theirs'])
    })
    assert.equal(
      seen.map(({ type, family, table }) => [type, family, table]),
      [
        ['add table', 'ip', 'ours'],
        ['commit', undefined, undefined],
        ['add table', 'ip6', 'theirs'],
        ['commit', undefined, undefined],
      ],
    )
    assert.equal(
      seen.map(({ portId }) => portId === connection.portId),
      [true, true, false, false],
    )
    assert.is(seen[1]?.processId, process.pid)
    assert.is(seen[3]?.processName, 'nft')
    assert.is(seen[3]?.generation, connection.generation())
    connection.close()
  }),
)

root('own changes can be left out, by the kernel', () =>
  inFreshNamespace(async () => {
    const connection = NftablesConnection.open()
    const write = () => {
      const batch = connection.newBatch()
      batch.addTable({ family: 'ip', name: 'ours' })
      connection.commit(batch)
      execFileSync('nft', ['add', 'table', 'ip', 'theirs'])
    }
    const seen = await commits(1, write, connection.portId)
    assert.equal(
      seen.map(({ type, table }) => [type, table]),
      [
        ['add table', 'theirs'],
        ['commit', undefined],
      ],
    )
    connection.close()
  }),
)

root('nothing is announced after the signal', () =>
  inFreshNamespace(async () => {
    const ending = new AbortController()
    ending.abort()
    let count = 0
    watchNftables(() => count++, ending.signal)
    await commits(1, () => execFileSync('nft', ['add', 'table', 'ip', 't']))
    assert.is(count, 0)
  }),
)

test.run()
