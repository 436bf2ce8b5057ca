import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../support/needs-root.ts'

const start = suite('npm start')
const rootTest = needsRoot(start)

const script = new URL('../../scripts/start.ts', import.meta.url).pathname

/** The demonstration in a network namespace of its own, made by shell commands. */
class Demonstration {
  output = ''
  readonly child: ChildProcess
  #waiting: (() => void) | undefined

  constructor(network: string) {
    const env = { ...process.env, KUBECONFIG: '' }
    const command = `${network} exec '${process.execPath}' '${script}'`
    this.child = spawn('unshare', ['--net', 'sh', '-c', command], { env, stdio: 'pipe' })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString()
        this.#waiting?.()
      })
    }
    this.child.on('close', () => this.#waiting?.())
  }

  /** Waits until the output has a text; rejects when the process ends before. */
  async until(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(`ended: ${this.output}`)
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting = resolve
      await promise
    }
  }

  /** Runs a command in the same network; gives what it prints. */
  inside(command: string, ...args: readonly string[]): string {
    const target = ['-t', String(this.child.pid), '-n', command, ...args]
    const { stdout, stderr } = spawnSync('nsenter', target, { encoding: 'utf8' })
    return `${stdout}${stderr}`
  }

  async interrupt(): Promise<number | null> {
    const { promise, resolve } = Promise.withResolvers<number | null>()
    this.child.once('close', resolve)
    this.child.kill('SIGINT')
    return promise
  }

  /** The folder that the user is told to edit. */
  get folder(): string {
    return this.output.match(/EDITOR (\S+)\/web-endpoints|edit (\S+)\/web-endpoints/)?.[1] ?? ''
  }
}

/** An address, and a way to cluster addresses that leads nowhere but through our rules. */
const network =
  'ip link set lo up && ip address add 192.0.2.9/32 dev lo && ' +
  'ip route add 10.96.0.0/16 dev lo src 192.0.2.9 &&'

const fetchName =
  "fetch('http://10.96.0.10/').then((answer) => answer.text()).then((text) => console.log(text.split(':')[0]))"

function askWeb(demonstration: Demonstration): string {
  return demonstration.inside(process.execPath, '-e', fetchName).trim()
}

rootTest(
  'serves the examples in the kernel, follows an edit and leaves nothing behind',
  async () => {
    const demonstration = new Demonstration(network)
    try {
      await demonstration.until('Ctrl-C ends it')
      const { folder } = demonstration
      assert.match(askWeb(demonstration), /^(?:first|second)$/)
      const file = `${folder}/web-endpoints.yaml`
      const onlyThird = readFileSync(file, 'utf8')
        .replaceAll('ready: true', 'ready: unset')
        .replaceAll('ready: false', 'ready: true')
        .replaceAll('ready: unset', 'ready: false')
      demonstration.output = ''
      writeFileSync(file, onlyThird)
      await demonstration.until('10.96.0.10:80/TCP')
      assert.is(askWeb(demonstration), 'third')
      // The namespace must outlive the process to be looked at.
      const holder = spawn('nsenter', ['-t', String(demonstration.child.pid), '-n', 'sleep', '60'])
      await new Promise((resolve) => holder.once('spawn', resolve))
      assert.is(await demonstration.interrupt(), 0)
      const tables = spawnSync('nsenter', ['-t', String(holder.pid), '-n', 'nft', 'list', 'tables'])
      holder.kill()
      assert.is(tables.status, 0)
      assert.is(tables.stdout.toString(), '')
      assert.not(existsSync(folder))
    } finally {
      demonstration.child.kill('SIGKILL')
    }
  },
)

rootTest('serves on loopback where there is no network, and says why', async () => {
  const demonstration = new Demonstration('ip link set lo up &&')
  try {
    await demonstration.until('Ctrl-C ends it')
    const { output, folder } = demonstration
    assert.match(output, /on loopback \(portable mode\): no route to 10\.96\.0\.10/)
    assert.match(output, /default\/web +http +cluster-ip +10\.96\.0\.10:80\/TCP/)
    const [, url] = output.match(/curl (\S+) +# web\n/) ?? []
    const fetchText = `fetch('${url}').then((answer) => answer.text()).then(console.log)`
    assert.match(
      demonstration.inside(process.execPath, '-e', fetchText),
      /^(?:first|second): hello/,
    )
    assert.is(await demonstration.interrupt(), 0)
    assert.not(existsSync(folder))
  } finally {
    demonstration.child.kill('SIGKILL')
  }
})

start('serves on loopback for a user without rights', async () => {
  const isRoot = process.getuid?.() === 0
  const env = { ...process.env, KUBECONFIG: '', HOME: tmpdir() }
  const nobody = isRoot ? { uid: 65_534, gid: 65_534 } : {}
  const child = spawn(process.execPath, [script], { env, stdio: 'pipe', ...nobody })
  const exit = once(child, 'close')
  let output = ''
  const isReady = Promise.withResolvers<void>()
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    if (output.includes('Ctrl-C ends it')) isReady.resolve()
  })
  try {
    await Promise.race([isReady.promise, exit])
    const [, url = ''] = output.match(/curl (\S+) +# web\n/) ?? []
    assert.match(output, /on loopback \(portable mode\): (?:not root|this is )/)
    assert.match(await (await fetch(url)).text(), /^(?:first|second): hello/)
  } finally {
    // It ends the proxy that it has started.
    child.kill('SIGINT')
    assert.equal(await exit, [0, null])
  }
})

start.run()
