import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NetlinkError, type NetlinkFailure } from '../../src/netlink/netlink-error.ts'
import { NftablesBatch } from '../../src/netlink/nftables/batch.ts'
import { NftablesConnection } from '../../src/netlink/nftables/connection.ts'
import { missingModules } from '../../src/ruleset/open-for-tables.ts'
import { inFreshNamespace } from '../support/fresh-namespace.ts'
import { needsRoot } from '../support/needs-root.ts'

const test = suite('ruleset/open-for-tables')
const withRoot = needsRoot(test)

const last: NetlinkFailure = { operation: 'delete table ip portolan-probe-end', errno: 2 }

/** A kernel that answers an offer with these refusals. */
function kernel(...failures: readonly [NetlinkFailure, ...NetlinkFailure[]]) {
  return {
    newBatch: () => new NftablesBatch(),
    commit() {
      throw new NetlinkError('nftables', failures)
    },
  } as unknown as NftablesConnection
}

withRoot('a kernel that has everything lacks nothing, and nothing is written', () =>
  inFreshNamespace(() => {
    const connection = NftablesConnection.open()
    try {
      const before = connection.generation()
      assert.equal(missingModules(connection), [])
      assert.equal(connection.listTables(), [])
      assert.is(connection.generation(), before)
    } finally {
      connection.close()
    }
  }),
)

test('what a refused rule needs is named', () => {
  const rule = { operation: 'add rule ip portolan-probe nft_numgen', errno: 2 }
  const chain = { operation: 'add chain ip portolan-probe nft_chain_nat', errno: 95 }
  assert.equal(missingModules(kernel(chain, rule, last)), ['nft_chain_nat', 'nft_numgen'])
})

test('a kernel without nf_tables refuses the batch as a whole', () => {
  const refused = { operation: 'commit the batch', errno: 95 }
  assert.equal(missingModules(kernel(refused)), ['nf_tables'])
})

test('without the capability the refusal is passed on', () => {
  const refused = { operation: 'commit the batch', errno: 1 }
  assert.throws(() => missingModules(kernel(refused)), /EPERM/)
})

test.run()
