import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { acceptedDifferences } from './accepted-differences.ts'
import { iptablesDifferences } from './iptables-differences.ts'
import { ipvsDifferences } from './ipvs-differences.ts'
import { originalDifferences } from './original-differences.ts'
import { userspaceDifferences } from './userspace-differences.ts'

const test = suite('golden/golden-differences')

const page = readFileSync(new URL('../../docs/golden-differences.md', import.meta.url), 'utf8')

/** Headings of the third level with the paragraph below, of the section with this heading. */
function entries(section: string): readonly (readonly [string, string])[] {
  const text = page.split(/^## /m).find((part) => part.startsWith(section)) ?? ''
  return text
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [id = '', ...rest] = part.split('\n')
      return [id, rest.join('\n').trim()] as const
    })
}

test('the page lists the accepted differences of the code, and no others', () => {
  const coded = acceptedDifferences.map(({ id, reason }) => [id, reason] as const)
  assert.equal(entries('Accepted differences from'), coded)
})

test('the page lists the accepted differences of the iptables program, and no others', () => {
  const coded = iptablesDifferences.map(({ id, reason }) => [id, reason] as const)
  assert.equal(entries('Accepted differences of the iptables program'), coded)
})

test('the page lists the accepted differences of the ipvs program, and no others', () => {
  const coded = ipvsDifferences.map(({ id, reason }) => [id, reason] as const)
  assert.equal(entries('Accepted differences of the ipvs program'), coded)
})

test('the page lists the accepted differences of the userspace program, and no others', () => {
  const coded = userspaceDifferences.map(({ id, reason }) => [id, reason] as const)
  assert.equal(entries('Accepted differences of the userspace program'), coded)
})

test('the page lists the differences between the originals, and no others', () => {
  const coded = originalDifferences.map(({ id, reason }) => [id, reason] as const)
  assert.equal(entries("Where kube-proxy's iptables mode"), coded)
})

test.run()
