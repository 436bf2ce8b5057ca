import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { destroySets } from '../../src/netlink/ipset.ts'
import { inFreshNamespace } from '../support/fresh-namespace.ts'
import { createSet, hasSet } from '../support/ip-sets.ts'
import { needsRoot } from '../support/needs-root.ts'

const ipset = suite('ipset')
const test = needsRoot(ipset)

test('destroys the sets that are there, and no other', () =>
  inFreshNamespace(() => {
    if (!createSet('PORTOLAN-A')) {
      process.stdout.write('# skipped: destroys sets: this kernel has no ipset\n')
      return
    }
    createSet('PORTOLAN-B')
    assert.is(destroySets(['PORTOLAN-A', 'PORTOLAN-C']), 1)
    assert.not(hasSet('PORTOLAN-A'))
    assert.ok(hasSet('PORTOLAN-B'))
    assert.is(destroySets(['PORTOLAN-A', 'PORTOLAN-B']), 1)
    assert.not(hasSet('PORTOLAN-B'))
  }))

ipset.run()
