import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDecodePool } from '../../../src/kube/decode-pool.ts'
import { ManifestError } from '../../../src/kube/manifests/manifest-error.ts'
import { type Manifest, parseManifest } from '../../../src/kube/manifests/parse-manifest.ts'

const test = suite('kube/manifests/parse-manifest')

const parse = (text: string): Manifest => parseManifest('f.yaml', text, createDecodePool())

const example = `# two documents and a list
apiVersion: v1
kind: Service
metadata: &meta
  name: web
  namespace: shop
spec:
  ports:
  - port: 80
---
apiVersion: v1
kind: List
items:
- apiVersion: discovery.k8s.io/v1
  kind: EndpointSlice
  metadata: {name: web-1, namespace: shop}
  addressType: IPv4
  endpoints:
  - addresses: [10.0.0.1]
- apiVersion: v1
  kind: Pod
  metadata: {name: p}
  status: {podIP: 10.0.0.2}
- apiVersion: v1
  kind: Endpoints
  metadata: {name: legacy}
  subsets: [{addresses: [{ip: 10.0.0.3}], ports: [{port: 80}]}]
`

test('kinds of several documents and lists are found', () => {
  const { objects, refused } = parse(example)
  assert.equal(refused, [])
  assert.equal(
    objects.map(({ kind, name }) => `${kind} ${name}`),
    ['Service web', 'EndpointSlice web-1', 'Pod p', 'Endpoints legacy'],
  )
})

test('equal content has an equal version, other content another', () => {
  const version = (text: string): string => parse(text).objects[0]?.resourceVersion ?? ''
  assert.is(version(example), version(`# comment\n${example}`))
  assert.is.not(version(example), version(example.replace('port: 80', 'port: 81')))
})

test('JSON and YAML of one object are equal', () => {
  const value = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a' },
    spec: { type: 'NodePort' },
  }
  const yaml = 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: NodePort}\n'
  assert.equal(parse(JSON.stringify(value)), parse(yaml))
})

const faults: readonly (readonly [string, string, string])[] = [
  [
    'a wrong field',
    example.replace('port: 80', 'port: x'),
    'f.yaml:9: Service shop/web: spec.ports[0].port: got "x", expected a whole number 1..65535',
  ],
  [
    'a wrong item of a list',
    example.replace('[10.0.0.1]', '[10.0.0.x]'),
    'f.yaml:19: EndpointSlice shop/web-1: endpoints[0].addresses[0]: got "10.0.0.x", ' +
      'expected an IPv4 address',
  ],
  [
    'a missing field',
    example.replace('  addressType: IPv4\n', ''),
    'f.yaml:14: EndpointSlice shop/web-1: addressType: got nothing, ' +
      'expected one of IPv4, IPv6, FQDN',
  ],
  [
    'no kind',
    'apiVersion: v1\nmetadata: {name: a}\n',
    'f.yaml:1: no Kubernetes object: expected apiVersion and kind',
  ],
  ['text only', 'just a text\n', 'f.yaml:1: no Kubernetes object: expected apiVersion and kind'],
  [
    'an old version',
    example.replace('discovery.k8s.io/v1', 'discovery.k8s.io/v1beta1'),
    'f.yaml:14: EndpointSlice shop/web-1: apiVersion: got "discovery.k8s.io/v1beta1", ' +
      'expected discovery.k8s.io/v1',
  ],
]

for (const [title, text, expected] of faults) {
  test(`${title} is refused with its line`, () => {
    assert.equal(
      parse(text).refused.map(({ error }) => error.message),
      [expected],
    )
  })
}

test('the line of a fault in JSON is found too', () => {
  const text = JSON.stringify(
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { type: 5 } },
    null,
    1,
  )
  assert.match(
    parse(text).refused[0]?.error.message ?? '',
    /^f\.yaml:8: Service default\/a: spec\.type: got 5/,
  )
})

for (const [title, text, expected] of [
  ['a doubled key', 'kind: a\nkind: b\n', /^f\.yaml:2: key "kind" is there twice$/],
  ['broken structure', 'a: b\n  c: [\n', /^f\.yaml:\d: /],
  ['broken JSON', '{"a": 1,\n"b" 2}', /^f\.yaml:2: /],
  ['an unknown alias', 'a: *b\n', /^f\.yaml:1: Unresolved alias/],
  [
    'aliases without end',
    `a: &a [x, x, x, x]\n${'bcdefghij'
      .split('')
      .map((name, index) => `${name}: &${name} [${`*${'abcdefghij'[index]},`.repeat(9)}]`)
      .join('\n')}`,
    /^f\.yaml:\d+: Excessive alias count/,
  ],
  ['nesting without end', '['.repeat(20_000), /^f\.yaml:1: /],
] as const) {
  test(`a text with ${title} is refused as a whole`, () => {
    try {
      parse(text)
      assert.unreachable('no error')
    } catch (error) {
      assert.instance(error, ManifestError)
      assert.match((error as Error).message, expected)
    }
  })
}

test('a damaged text gives objects, refusals or a ManifestError', () => {
  const tokens = [
    '',
    ' ',
    '\n',
    ':',
    '- ',
    '{',
    '[',
    '"',
    '*meta',
    '&meta ',
    '<<: ',
    '!!x ',
    '---\n',
    '|',
    'null',
    '5',
  ]
  const edit = fc.record({
    at: fc.nat(example.length),
    cut: fc.nat(12),
    insert: fc.constantFrom(...tokens),
  })
  let refusedCount = 0
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
      let text = example
      for (const { at, cut, insert } of edits)
        text = text.slice(0, at) + insert + text.slice(at + cut)
      try {
        refusedCount += parse(text).refused.length
      } catch (error) {
        assert.instance(error, ManifestError, String(error))
      }
    }),
    { numRuns: 400 },
  )
  assert.ok(refusedCount > 10)
})

test.run()
