import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
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

rootTest('says why it shows the plan only, where there is no network', async () => {
  const demonstration = new Demonstration('ip link set lo up &&')
  try {
    await demonstration.until('Ctrl-C ends it')
    assert.match(demonstration.output, /in plan only: no route to 10\.96\.0\.10/)
    assert.match(demonstration.output, /default\/web +http +cluster-ip +10\.96\.0\.10:80\/TCP/)
    assert.is(await demonstration.interrupt(), 0)
  } finally {
    demonstration.child.kill('SIGKILL')
  }
})

start.run()
