import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { followedSearch } from '../../../src/dns/plugins/followed-search.ts'
import { ManualClock } from './manual-clock.ts'

const test = suite('dns/plugins/followed-search')

test('follows the search path of the file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-search-'))
  const path = join(folder, 'resolv.conf')
  writeFileSync(path, 'nameserver 192.0.2.1\nsearch Corp.example lab.example\n')
  const clock = new ManualClock()
  const ending = new AbortController()
  const search = followedSearch({ path, intervalMs: 5_000 }, clock, ending.signal)
  assert.equal(search(), ['corp.example.', 'lab.example.'])
  writeFileSync(path, 'search other.example\n')
  await clock.advance(5_000)
  assert.equal(search(), ['other.example.'])
  rmSync(folder, { recursive: true })
  await clock.advance(5_000)
  assert.equal(search(), ['other.example.'])
  ending.abort()
})

test('a file that is not there has none', () => {
  const file = { path: '/nowhere/resolv.conf', intervalMs: 0 }
  const search = followedSearch(file, new ManualClock(), new AbortController().signal)
  assert.equal(search(), [])
})

test.run()
