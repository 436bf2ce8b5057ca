import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isSameRule } from '../../../src/proxy/iptables/canonical-rule.ts'

const test = suite('proxy/iptables/canonical-rule')

const same: readonly (readonly [string, string, string])[] = [
  [
    'matches in another order',
    '-d 10.96.0.1/32 -p tcp -m tcp --dport 80 -m comment --comment "a b" -j X',
    '-d 10.96.0.1/32 -p tcp -m comment --comment "a b" -m tcp --dport 80 -j X',
  ],
  ['a protocol match without options', '-p udp -m udp -j X', '-p udp -j X'],
  ['quotes', '-m comment --comment "a" -j X', '-m comment --comment a -j X'],
  [
    'a comment that begins with a dash',
    '-m comment --comment "-j" -j X',
    '-m comment --comment -j -j X',
  ],
]
for (const [title, left, right] of same) {
  test(`${title} make no other rule`, () => assert.ok(isSameRule(left, right)))
}

const different: readonly (readonly [string, string, string])[] = [
  ['a negation', '! -s 10.0.0.0/8 -j X', '-s 10.0.0.0/8 -j X'],
  [
    'the place of a negation',
    '! -s 10.0.0.0/8 -d 10.0.0.0/8 -j X',
    '-s 10.0.0.0/8 ! -d 10.0.0.0/8 -j X',
  ],
  ['a negated option of a match', '-m mark ! --mark 0x1/0x1 -j X', '-m mark --mark 0x1/0x1 -j X'],
  ['another target', '-p tcp -j X', '-p tcp -j Y'],
  ['goto for jump', '-j X', '-g X'],
]
for (const [title, left, right] of different) {
  test(`${title} makes another rule`, () => assert.not(isSameRule(left, right)))
}

test.run()
