import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { type LabObject, labNodes } from './lab-objects.ts'
import { labAddresses } from './lab-topology.ts'
import type { NetworkLab } from './network-lab.ts'

/** One line of the daemon's log. */
export type LogRecord = Readonly<Record<string, unknown>> & { readonly msg?: string }

/** The command, as sources. */
export const mainFile = new URL('../../src/cli/main.ts', import.meta.url).pathname

/** Pods of the node are "pod", everything else, the pod behind the second node too, is "outside". */
export const podDetection: readonly string[] = [
  '--detect-local-mode',
  'ClusterCIDR',
  '--cluster-cidr',
  `${labAddresses[4].nodePods},${labAddresses[6].nodePods}`,
]

/** Nothing that the daemon does takes as long; a wait that ends so is a failure with its whole log. */
const patienceMs = process.env.PORTOLAN_GUEST === undefined ? 20_000 : 120_000

/** Runs a `portolan` command in the lab's node and returns its output; throws with its error output. */
export function runPortolan(lab: NetworkLab, ...args: readonly string[]): string {
  return lab.run('node', process.execPath, mainFile, ...args)
}

/** Replaces the manifests in a folder, all at once. */
export function writeManifests(folder: string, objects: readonly LabObject[]): void {
  const list = { apiVersion: 'v1', kind: 'List', items: objects }
  writeFileSync(`${folder}/.cluster.new`, JSON.stringify(list))
  renameSync(`${folder}/.cluster.new`, `${folder}/cluster.json`)
}

/** `portolan proxy` in the lab's node, serving a folder of manifests. */
export class ProxyDaemon {
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #records: LogRecord[] = []
  readonly #text: string[] = []
  readonly #exit: Promise<number | string>
  #wake = Promise.withResolvers<void>()

  /** Starts the daemon and waits for its first synchronisation. */
  static async start(
    lab: NetworkLab,
    folder: string,
    args: readonly string[],
  ): Promise<ProxyDaemon> {
    const daemon = new ProxyDaemon(lab, folder, args)
    await daemon.logged(({ msg, kind }) => msg === 'synchronised' && kind === 'full')
    return daemon
  }

  private constructor(lab: NetworkLab, folder: string, args: readonly string[]) {
    const common = ['--manifests', folder, '--hostname-override', labNodes.here]
    const logging = ['--logging-format', 'json', '--log-level', 'debug']
    this.#folder = folder
    this.#child = lab.spawn(
      'node',
      process.execPath,
      [mainFile, 'proxy', ...common, ...logging, ...args],
      { stdio: ['ignore', 'inherit', 'pipe'] },
    )
    this.#exit = once(this.#child, 'exit').then(([code, signal]) => code ?? signal)
    this.#read()
  }

  /** The process id, which is the daemon's own: `ip netns exec` becomes the command. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Everything logged so far. */
  get records(): readonly LogRecord[] {
    return this.#records
  }

  /** Throws unless the daemon said at its start that it works so. */
  assertStartedAs(expected: Readonly<Record<string, string>>): void {
    const first = this.#records.find(({ msg }) => msg === 'starting')
    for (const [name, value] of Object.entries(expected)) {
      if (first?.[name] === value) continue
      throw new Error(`portolan proxy: started with ${name} ${first?.[name]}, expected ${value}`)
    }
  }

  /** Waits for a line after the first `after` ones; throws with the log when it does not come. */
  async logged(matches: (record: LogRecord) => boolean, after = 0): Promise<LogRecord> {
    const give = new AbortController()
    const ended = Promise.race([
      this.#exit.then((code) => `it ended with ${code}`),
      wait(patienceMs, `nothing for ${patienceMs} ms`, { signal: give.signal, ref: false }),
    ])
    ended.catch(() => {})
    try {
      for (;;) {
        const found = this.#records.slice(after).find(matches)
        if (found !== undefined) return found
        const reason = await Promise.race([this.#wake.promise, ended])
        if (typeof reason === 'string') {
          throw new Error(`portolan proxy: ${reason}\n${this.#text.join('\n')}`)
        }
      }
    } finally {
      give.abort()
    }
  }

  /** Replaces the manifests and waits until the change is in the kernel. The change must be one. */
  async apply(objects: readonly LabObject[]): Promise<LogRecord> {
    const after = this.#records.length
    writeManifests(this.#folder, objects)
    return this.logged(({ msg }) => msg === 'synchronised', after)
  }

  /** Sends a signal and waits for the end: the exit code, or the name of the signal that ended it. */
  async end(signal: NodeJS.Signals): Promise<number | string> {
    this.#child.kill(signal)
    return this.#exit
  }

  async #read(): Promise<void> {
    if (this.#child.stderr === null) return
    for await (const line of createInterface({ input: this.#child.stderr })) {
      this.#text.push(line)
      this.#records.push(line.startsWith('{') ? (JSON.parse(line) as LogRecord) : { msg: line })
      this.#wake.resolve()
      this.#wake = Promise.withResolvers()
    }
  }
}
