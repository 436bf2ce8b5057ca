import type { ChildProcess } from 'node:child_process'
import { execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { type LabNamespace, labNamespaces, topologyCommands } from './lab-topology.ts'

/** Names of namespaces: `portolan-PID-NUMBER-node`; the id of the process tells which labs are left over. */
const prefix = 'portolan-'
const openLabs = new Set<NetworkLab>()
let nextNumber = 0

/** A node with two pods, a second node with one, and an outside host, each a network namespace. Everything
 *  in it ends with `close`, with the process, with SIGINT, or at the latest when the next lab opens. */
export class NetworkLab {
  readonly #id = `${prefix}${process.pid}-${nextNumber++}`
  readonly #children = new Set<ChildProcess>()

  /** Makes the namespaces, links, addresses and routes. Needs root and `ip`. */
  static open(): NetworkLab {
    removeLeftLabs()
    const lab = new NetworkLab()
    registerExit()
    openLabs.add(lab)
    try {
      lab.#build()
    } catch (error) {
      lab.close()
      throw error
    }
    return lab
  }

  /** The real name of a namespace, as `ip netns` knows it. */
  name(namespace: LabNamespace): string {
    return `${this.#id}-${namespace}`
  }

  /** The file that stands for a namespace (`inNetworkNamespace`). */
  path(namespace: LabNamespace): string {
    return `/run/netns/${this.name(namespace)}`
  }

  /** Runs a command in a namespace and returns its output; throws with its error output. */
  run(namespace: LabNamespace, command: string, ...args: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.name(namespace), command, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** Like `run`, while other things go on. */
  async output(
    namespace: LabNamespace,
    command: string,
    ...args: readonly string[]
  ): Promise<string> {
    const child = this.spawn(namespace, command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    if (child.stdout === null) throw new Error(`${command}: no output`)
    const [output, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ended with ${status}`)
    return output
  }

  /** Starts a process in a namespace; it is killed when the lab closes. */
  spawn(
    namespace: LabNamespace,
    command: string,
    args: readonly string[],
    options: SpawnOptions = {},
  ): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.name(namespace), command, ...args], options)
    this.#children.add(child)
    child.on('exit', () => this.#children.delete(child))
    return child
  }

  /** Kills what runs in the namespaces and deletes them. Synchronous, so that it works while exiting. */
  close(): void {
    openLabs.delete(this)
    for (const child of this.#children) child.kill('SIGKILL')
    for (const namespace of labNamespaces) deleteNamespace(this.name(namespace))
  }

  #build(): void {
    for (const namespace of labNamespaces) ip('netns', 'add', this.name(namespace))
    for (const [namespace, commands] of topologyCommands((short) => this.name(short))) {
      const input = commands.map((line) => `${line}\n`).join('')
      execFileSync('ip', ['-n', this.name(namespace), '-batch', '-'], {
        input,
        stdio: ['pipe', 'pipe', 'pipe'],
      })
    }
    for (const namespace of ['node', 'second-node'] as const) this.#forward(namespace)
  }

  /** Routes for others, in both families, whatever way the answers take, and sends every ICMP error: by
   *  default only one a second goes to one address, and refused flows would seem to time out. */
  #forward(namespace: LabNamespace): void {
    const links = ['all', 'eth0', 'pod-a', 'pod-b', 'pod-c']
    const settings = [
      'ipv4/ip_forward=1',
      'ipv6/conf/all/forwarding=1',
      'ipv4/icmp_ratelimit=0',
      'ipv6/icmp/ratelimit=0',
      ...links.map((link) => `ipv4/conf/${link}/rp_filter=0`),
    ]
    const lines = settings.map((setting) => {
      const [file, value] = setting.split('=')
      return `[ ! -e /proc/sys/net/${file} ] || echo ${value} > /proc/sys/net/${file}`
    })
    this.run(namespace, 'sh', '-c', lines.join('\n'))
  }
}

/** Labs of test processes that were killed before they could clean up. */
function removeLeftLabs(): void {
  for (const name of ip('netns', 'list')
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')) {
    const owner = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1])
    if (Number.isInteger(owner) && !isAlive(owner)) deleteNamespace(name)
  }
}

function deleteNamespace(name: string): void {
  try {
    for (const id of ip('netns', 'pids', name).split('\n').filter(Boolean)) {
      process.kill(Number(id), 'SIGKILL')
    }
    ip('netns', 'delete', name)
  } catch {
    // It is gone already, or one of its processes was: the next lab looks again.
  }
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0)
    return true
  } catch {
    return false
  }
}

let isRegistered = false

function registerExit(): void {
  if (isRegistered) return
  isRegistered = true
  process.on('exit', () => {
    for (const lab of openLabs) lab.close()
  })
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(name, () => process.exit(1))
}

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
