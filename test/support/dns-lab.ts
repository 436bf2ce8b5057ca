import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'

const mainFile = new URL('../../src/cli/main.ts', import.meta.url).pathname

/** A program that is not there after so long failed to start. */
const patienceMs = 60_000

/** A network namespace with a loopback device, a resolv.conf like a pod's, and programs that run in it. */
export class DnsLab {
  /** Of this lab alone, removed at its end. */
  readonly folder = mkdtempSync(join(tmpdir(), 'portolan-dns-lab-'))
  readonly #namespace = `ptdns${process.pid}`
  readonly #children: ChildProcess[] = []

  /** Makes the namespace. Needs root. */
  static async open(): Promise<DnsLab> {
    const lab = new DnsLab()
    // `ip netns exec` shows this file to its command as /etc/resolv.conf.
    mkdirSync(`/etc/netns/${lab.#namespace}`, { recursive: true })
    writeFileSync(
      `/etc/netns/${lab.#namespace}/resolv.conf`,
      `nameserver 127.0.0.1
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5 timeout:1 attempts:2
`,
    )
    await promisify(execFile)('ip', ['netns', 'add', lab.#namespace])
    await lab.run('ip', 'link', 'set', 'lo', 'up')
    // With loopback addresses only, glibc asks for no address at all (AI_ADDRCONFIG).
    await lab.run('ip', 'address', 'add', '192.0.2.53/32', 'dev', 'lo')
    return lab
  }

  /** Runs a program to its end and gives its output; rejects when it fails. */
  async run(program: string, ...words: string[]): Promise<string> {
    const all = ['netns', 'exec', this.#namespace, program, ...words]
    const { stdout } = await promisify(execFile)('ip', all, { timeout: patienceMs })
    return stdout
  }

  /** Starts a program that goes on until the lab ends, and waits for a line of its output. */
  async start(readyLine: RegExp, program: string, ...words: string[]): Promise<LabProgram> {
    const all = ['netns', 'exec', this.#namespace, program, ...words]
    const child = spawn('ip', all, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#children.push(child)
    const started = new LabProgram(child)
    await started.printed(readyLine, 1)
    return started
  }

  /** Writes a file of the lab and gives its path. */
  write(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  /** `portolan dns` with these words, when it answers. */
  async portolan(...words: string[]): Promise<LabProgram> {
    return this.start(/"msg":"answering"/, process.execPath, mainFile, 'dns', ...words)
  }

  /** Ends all programs and removes everything. */
  async close(): Promise<void> {
    const alive = this.#children.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    )
    await Promise.all(
      alive.map((child) => {
        child.kill('SIGKILL')
        return once(child, 'exit')
      }),
    )
    await promisify(execFile)('ip', ['netns', 'delete', this.#namespace])
    rmSync(`/etc/netns/${this.#namespace}`, { recursive: true })
    rmSync(this.folder, { recursive: true })
  }
}

/** A program of the lab that runs. */
export class LabProgram {
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  readonly #ended: Promise<unknown>
  #wake = Promise.withResolvers<void>()

  constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = once(child, 'exit')
    this.#read()
  }

  /** Its number: `ip netns exec` becomes the program. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** What it has printed. */
  get text(): string {
    return this.#lines.join('\n')
  }

  /** Resolves when so many lines match; rejects with all of them when it ends or nothing comes. */
  async printed(line: RegExp, count: number): Promise<void> {
    const given = new AbortController()
    const failed = Promise.race([
      this.#ended.then(() => 'ended'),
      wait(patienceMs, 'said nothing', { signal: given.signal, ref: false }),
    ])
    failed.catch(() => {})
    while (this.#lines.filter((each) => line.test(each)).length < count) {
      const reason = await Promise.race([this.#wake.promise, failed])
      if (typeof reason === 'string') throw new Error(`the program ${reason}:\n${this.text}`)
    }
    given.abort()
  }

  /** Sends a signal. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Asks it to end, and resolves with its exit code. */
  async end(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    await this.#ended
    return this.#child.exitCode
  }

  async #read(): Promise<void> {
    if (this.#child.stderr === null) return
    for await (const line of createInterface({ input: this.#child.stderr })) {
      this.#lines.push(line)
      this.#wake.resolve()
      this.#wake = Promise.withResolvers()
    }
  }
}
