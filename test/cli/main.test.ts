import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../support/needs-root.ts'

const test = suite('cli/main: what users see')
const root = needsRoot(test)
const mainFile = new URL('../../src/cli/main.ts', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'portolan-cli-'))
const manifests = join(folder, 'manifests.yaml')

test.before(() => {
  writeFileSync(
    manifests,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'ns' },
      spec: {
        type: 'ClusterIP',
        clusterIP: '10.96.0.10',
        clusterIPs: ['10.96.0.10'],
        ports: [{ port: 80 }],
      },
    }),
  )
})
test.after(() => rmSync(folder, { recursive: true }))

interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

/** Runs the command line in a child without the caller's cluster. */
async function portolan(
  words: readonly string[],
  wrapper: readonly string[] = [],
): Promise<Outcome> {
  const [command = process.execPath, ...args] = [...wrapper, process.execPath, mainFile, ...words]
  const environment = { PATH: process.env.PATH, HOME: folder }
  const child = spawn(command, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await exited
  return { code, out, error }
}

/** One line on the error output, nothing on the other. */
async function refused(words: readonly string[], code: number, message: RegExp): Promise<void> {
  const outcome = await portolan(words)
  assert.is(outcome.code, code, outcome.error)
  assert.match(outcome.error, /^portolan: [^\n]+\n$/)
  assert.match(outcome.error, message)
  assert.is(outcome.out, '')
}

test('a mistyped command: one line, the nearest one, exit code 2', () =>
  refused(['prxy'], 2, /unknown command 'prxy' \(Did you mean proxy\?\)/))

test('an unknown flag: one line, the nearest one, exit code 2', () =>
  refused(
    ['proxy', '--manifest', 'x'],
    2,
    /unknown option '--manifest' \(Did you mean --manifests/,
  ))

test('a bad configuration: all faults in one line, exit code 1', async () => {
  const file = join(folder, 'bad.yaml')
  writeFileSync(
    file,
    'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: x\noomScoreAdj: 9999\n',
  )
  await refused(['proxy', '--config', file], 1, /bad\.yaml: mode: got "x".*; oomScoreAdj: got 9999/)
})

test('a configuration that is not there', () =>
  refused(['proxy', '--config', '/nowhere.yaml'], 1, /--config \/nowhere\.yaml: cannot be read/))

test('a bad flag value names the flag', () =>
  refused(['proxy', '--iptables-masquerade-bit', '40'], 1, /--iptables-masquerade-bit: got "40"/))

test('no cluster: what to give', () =>
  refused(
    ['status'],
    1,
    /no cluster: give --kubeconfig FILE, set KUBECONFIG, or .*--manifests DIR/,
  ))

test('a kubeconfig that is not there', () =>
  refused(['status', '--kubeconfig', '/nowhere'], 1, /\/nowhere: cannot be read \(ENOENT\)/))

test('a folder that is not there', () =>
  refused(['status', '--manifests', '/nowhere'], 1, /\/nowhere: cannot be read \(ENOENT\)/))

test('a server that does not answer ends a command that looks once', async () => {
  const file = join(folder, 'kubeconfig.conf')
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'a',
      contexts: [{ name: 'a', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }],
      users: [{ name: 'u', user: {} }],
    }),
  )
  await refused(['status', '--kubeconfig', file], 1, /http:\/\/127\.0\.0\.1:1\/.*ECONNREFUSED/)
})

test('a wrong output format', () =>
  refused(['status', '--manifests', folder, '-o', 'xml'], 2, /--output: got "xml", expected text/))

test('a wrong packet', () =>
  refused(['trace', 'here', '10.0.0.1:80', '--manifests', folder], 2, /FROM: got "here"/))

test('--debug adds the stack', async () => {
  const { error } = await portolan(['status', '--debug'])
  assert.match(error, /^portolan: no cluster[^\n]+\n.*\n\s+at /)
})

test('--dry-run prints the frontends', async () => {
  const { code, out, error } = await portolan(['proxy', '--dry-run', '--manifests', folder])
  assert.is(error, '')
  assert.is(code, 0)
  assert.match(out, /ns\/web +cluster-ip +10\.96\.0\.10:80\/TCP +any +reject\n/)
})

test('--output json has the same', async () => {
  const { out } = await portolan(['proxy', '--dry-run', '--manifests', folder, '-o', 'json'])
  const [frontend] = JSON.parse(out)
  assert.is(frontend.frontend, '10.96.0.10:80')
  assert.is(frontend.actions.pod.kind, 'reject')
})

test('status counts', async () => {
  const { out } = await portolan(['status', '--manifests', folder, '--hostname-override', 'N1'])
  assert.match(out, /^node n1, node ports on /)
  assert.match(out, '1 services, 1 frontends, 0 endpoints, 1 frontends that drop or reject')
})

test('--write-config-to writes a file that is read back', async () => {
  const file = join(folder, 'written.conf')
  const written = await portolan([
    ...['proxy', '--manifests', folder, '--cluster-cidr', '10.244.0.0/16'],
    ...['--write-config-to', file],
  ])
  assert.is(written.code, 0, written.error)
  const { code, error } = await portolan([
    ...['proxy', '--dry-run', '--manifests', folder, '--config', file],
  ])
  assert.is(code, 0, error)
})

const withoutCapabilities = ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all']

root('without CAP_NET_ADMIN: one line that says so', async () => {
  const user = [...withoutCapabilities, '--reuid', '65534', '--clear-groups']
  for (const words of [['proxy', '--manifests', '/'], ['proxy', '--cleanup'], ['diff']]) {
    const { code, error } = await portolan(words, user)
    assert.is(code, 1, error)
    assert.match(error, /^portolan: CAP_NET_ADMIN is missing: run as root [^\n]+\n$/)
  }
})

root('a port in use with --bind-address-hard-fail: one line, exit code 1', async () => {
  const script = `
    ip link set lo up
    nc="const s = require('node:net').createServer().listen(10256, '0.0.0.0', () => console.log('up'))"
    "$0" -e "$nc; setTimeout(() => {}, 60000)" > ${folder}/listener & listener=$!
    tail -f ${folder}/listener --pid=$listener | head -n 1 > ${folder}/ready
    "$0" "$1" proxy --manifests ${folder} --bind-address-hard-fail
    code=$?
    kill $listener
    exit $code`
  const child = spawn('unshare', ['-n', 'sh', '-c', script, process.execPath, mainFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  const error = await text(child.stderr)
  const [code] = await exited
  assert.is(code, 1, error)
  assert.match(error, /^portolan: health server on 0\.0\.0\.0:10256: the port is in use; [^\n]+$/m)
})

test.run()
