import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileSelection } from '../../src/kube/selector.ts'

const test = suite('kube/selector')

const object = {
  namespace: 'shop',
  name: 'web',
  labels: { app: 'web', tier: 'front', empty: '' },
  annotations: {},
  resourceVersion: '1',
}

const labelRows: readonly (readonly [string, boolean])[] = [
  ['', true],
  ['app', true],
  ['!app', false],
  ['!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name', true],
  ['constructor', false],
  ['app=web', true],
  ['app==web', true],
  ['app = web , tier=front', true],
  ['app!=web', false],
  ['other!=web', true],
  ['empty=', true],
  ['app in (api, web),tier', true],
  ['app notin (api,web)', false],
  ['other notin (x)', true],
  ['other in (x)', false],
]

for (const [labelSelector, expected] of labelRows) {
  test(`labels: "${labelSelector}" is ${expected}`, () => {
    assert.is(compileSelection({ labelSelector })(object), expected)
  })
}

test('fields: name and namespace', () => {
  assert.ok(compileSelection({ fieldSelector: 'metadata.name=web' })(object))
  assert.not.ok(compileSelection({ fieldSelector: 'metadata.namespace!=shop' })(object))
})

for (const selection of [
  { labelSelector: 'a in b' },
  { labelSelector: 'a=b=c' },
  { fieldSelector: 'spec.type=NodePort' },
]) {
  test(`refuses ${JSON.stringify(selection)}`, () => {
    assert.throws(() => compileSelection(selection), /selection: (?:label|field)Selector: got/)
  })
}

test.run()
