import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ClusterAccess } from '../../src/kube/cluster-access.ts'
import { findClusterAccess } from '../../src/kube/find-cluster-access.ts'
import { loadKubeconfig, parseKubeconfig, selectAccess } from '../../src/kube/kubeconfig.ts'

const test = suite('kube/kubeconfig')

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const complete = `apiVersion: v1
kind: Config
current-context: one
preferences: {}
clusters:
- name: c1
  cluster:
    server: https://10.0.0.1:6443/
    certificate-authority: pki/ca.crt
    tls-server-name: kubernetes
    proxy-url: http://user:s3cret@proxy:3128
    extensions: [{name: minikube, extension: {}}]
- name: c2
  cluster: {server: 'https://[fd00::1]:6443', insecure-skip-tls-verify: true}
users:
- name: u1
  user:
    tokenFile: token
    client-certificate-data: ${base64('-----BEGIN CERTIFICATE-----\n')}
    client-key-data: ${base64('-----BEGIN PRIVATE KEY-----\ns3cret')}
- name: u2
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: ./bin/plugin
      args: [get-token]
      env: [{name: A, value: s3cret}]
      interactiveMode: Never
contexts:
- {name: one, context: {cluster: c1, user: u1, namespace: shop}}
- {name: two, context: {cluster: c2, user: u2}}
`

function accessOf(text: string, context?: string): ClusterAccess {
  return selectAccess([parseKubeconfig('/etc/kube/config', text)], context)
}

function messageOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    assert.match(code ?? '', /^PORTOLAN_(?:DECODE|CLUSTER_ACCESS)$/)
    return message
  }
  return assert.unreachable('no error') as never
}

test('the current context is decoded, relative paths are beside the file', () => {
  const access = accessOf(complete)
  assert.is(access.server, 'https://10.0.0.1:6443')
  assert.equal(access.authority, { kind: 'file', path: '/etc/kube/pki/ca.crt' })
  assert.is(access.serverName, 'kubernetes')
  assert.is(access.proxyUrl?.reveal(), 'http://user:s3cret@proxy:3128')
  assert.is(access.user.tokenFile, '/etc/kube/token')
  const key = access.user.clientCertificate?.key
  assert.is(key?.kind === 'data' && key.pem.reveal(), '-----BEGIN PRIVATE KEY-----\ns3cret')
  assert.is(access.namespace, 'shop')
})

test('another context can be named', () => {
  const access = accessOf(complete, 'two')
  assert.ok(access.isInsecure)
  assert.is(access.user.exec?.command, '/etc/kube/bin/plugin')
  assert.is(access.user.exec?.env[0]?.value.reveal(), 's3cret')
  assert.is(access.namespace, 'default')
})

test('impersonation becomes headers, and what cannot be done is refused', () => {
  const as = complete.replace('tokenFile: token', 'as: bob\n    as-groups: [a, b]')
  assert.equal(accessOf(as).user.impersonation, {
    'impersonate-user': 'bob',
    'impersonate-group': ['a', 'b'],
  })
  assert.match(
    messageOf(() => accessOf(as.replace('as: bob', 'as-uid: x'))),
    /user\.as: got ""/,
  )
  const extra = as.replace('as: bob', 'as: bob\n    as-user-extra: {k: [v]}')
  assert.match(
    messageOf(() => accessOf(extra)),
    /user\.as-user-extra: got/,
  )
})

test('credentials do not appear when an access is printed', () => {
  for (const context of ['one', 'two']) {
    const access = accessOf(complete, context)
    for (const text of [
      JSON.stringify(access),
      inspect(access, { depth: 9 }),
      `${access.proxyUrl}`,
    ]) {
      assert.not.match(text, /s3cret/)
    }
  }
})

const wrong: readonly (readonly [string, (text: string) => string, RegExp])[] = [
  [
    'no current context',
    (text) => text.replace('current-context: one', ''),
    /current-context: not set/,
  ],
  [
    'unknown context',
    (text) => text.replace('text: one', 'text: x'),
    /contexts: no entry "x"; there are one, two/,
  ],
  [
    'unknown cluster',
    (text) => text.replace('{cluster: c1', '{cluster: c9'),
    /clusters: no entry "c9"; there are c1, c2/,
  ],
  ['unknown user', (text) => text.replace('user: u1,', 'user: u9,'), /users: no entry "u9"/],
  [
    'server without scheme',
    (text) => text.replace('https://10', '10'),
    /clusters\[0\]\.cluster\.server: got "10\.0/,
  ],
  [
    'server with a password',
    (text) => text.replace('//10', '//u:s3cret@10'),
    /clusters\[0\]\.cluster\.server: got "\(hidden\)"/,
  ],
  [
    'token of a wrong type',
    (text) => text.replace('tokenFile: token', 'token: [s3cret]'),
    /users\[0\]\.user\.token: got "\(hidden\)"/,
  ],
  [
    'key data that is no PEM',
    (text) => text.replace(/client-key-data: .*/, 'client-key-data: s3cret'),
    /users\[0\]\.user\.client-key-data: got "\(hidden\)", expected base64 of a PEM text/,
  ],
  [
    'certificate without key',
    (text) => text.replace(/client-key-data: .*/, ''),
    /users\[0\]\.user\.client-key: got/,
  ],
  [
    'CA and insecure',
    (text) => text.replace('tls-server-name: kubernetes', 'insecure-skip-tls-verify: true'),
    /insecure-skip-tls-verify: got true, expected false or nothing/,
  ],
  [
    'old plugin version',
    (text) => text.replace('v1beta1', 'v1alpha1').replace('text: one', 'text: two'),
    /users\[1\]\.user\.exec\.apiVersion: got "client.*\/v1alpha1", expected one of/,
  ],
  [
    'plugin with a terminal',
    (text) => text.replace('Never', 'Always').replace('text: one', 'text: two'),
    /interactiveMode: got "Always", expected Never or IfAvailable/,
  ],
  [
    'auth-provider',
    (text) => text.replace('tokenFile: token', 'auth-provider: {name: gcp}'),
    /users\[0\]\.user\.auth-provider: .*use exec/,
  ],
  [
    'list of a wrong type',
    (text) => text.replace('- name: c1', '- 5\n- name: c1'),
    /clusters\[0\]: got 5, expected an object/,
  ],
  [
    'broken YAML',
    (text) => `${text}  s3cret: [`,
    /config:\d+:\d+: YAML fault [A-Z_]+; correct the YAML there/,
  ],
  ['doubled key', (text) => `${text}kind: Config\n`, /config:\d+:1: a key is there twice/],
  [
    'other kind',
    (text) => text.replace('kind: Config', 'kind: Pod'),
    /kind: got "Pod", expected Config/,
  ],
]

for (const [title, change, expected] of wrong) {
  test(`a kubeconfig with ${title} is refused without showing a credential`, () => {
    const changed = change(complete)
    assert.is.not(changed, complete)
    const message = messageOf(() => accessOf(changed))
    assert.match(message, expected)
    assert.not.match(message, /s3cret/)
  })
}

test('of several files the first that names something wins, missing ones do not count', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
  try {
    const first = join(folder, 'first')
    const second = join(folder, 'second')
    writeFileSync(first, 'current-context: two\nusers: [{name: u2, user: {token: mine}}]\n')
    writeFileSync(second, complete)
    const access = await loadKubeconfig([join(folder, 'none'), first, second])
    assert.is(access.server, 'https://[fd00::1]:6443')
    assert.is(access.user.token?.reveal(), 'mine')
    const found = await findClusterAccess({ environment: { KUBECONFIG: `${first}:${second}` } })
    assert.is(found?.origin, `${second}, context two`)
    const missing = loadKubeconfig([join(folder, 'none')])
    await missing.then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, /none: cannot be read \(ENOENT\); name a file/),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('in a pod the service account is used', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'account-'))
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
  const find = () => findClusterAccess({ environment, serviceAccountFolder: folder })
  try {
    await find().then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, /token: no such file; let the pod mount/),
    )
    writeFileSync(join(folder, 'token'), 't')
    writeFileSync(join(folder, 'ca.crt'), 'c')
    const access = await find()
    assert.is(access?.server, 'https://[fd00::1]:443')
    assert.is(access?.user.tokenFile, join(folder, 'token'))
    assert.equal(access?.authority, { kind: 'file', path: join(folder, 'ca.crt') })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('without any configuration there is no access; ~/.kube/config is the last place', async () => {
  const home = mkdtempSync(join(tmpdir(), 'home-'))
  try {
    assert.is(await findClusterAccess({ environment: { HOME: home } }), undefined)
    mkdirSync(join(home, '.kube'))
    writeFileSync(join(home, '.kube', 'config'), complete)
    const access = await findClusterAccess({ environment: { HOME: home }, context: 'two' })
    assert.is(access?.server, 'https://[fd00::1]:6443')
  } finally {
    rmSync(home, { recursive: true })
  }
})

test('a damaged kubeconfig is decoded or refused, and never shows a credential', () => {
  const damage = fc.array(
    fc.record({
      at: fc.nat(complete.length),
      cut: fc.nat(12),
      insert: fc.constantFrom(
        '',
        ' ',
        '\n',
        ':',
        '- ',
        '{',
        '[',
        '"',
        '*a',
        '&a ',
        '!!x ',
        '\u0000',
        '5',
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )
  fc.assert(
    fc.property(damage, fc.constantFrom('one', 'two', undefined), (edits, context) => {
      let text = complete
      for (const { at, cut, insert } of edits)
        text = text.slice(0, at) + insert + text.slice(at + cut)
      try {
        accessOf(text, context)
      } catch (error) {
        const { code, message } = error as Error & { code?: string }
        assert.match(code ?? String(error), /^PORTOLAN_(?:DECODE|CLUSTER_ACCESS)$/)
        assert.not.match(message, /s3cret/)
      }
    }),
    { numRuns: 200 },
  )
})

test.run()
