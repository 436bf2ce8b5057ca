import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import process from 'node:process'
import { suite, type Test } from 'uvu'
import type { Protocol } from '../../src/net/protocol.ts'
import type { Answers } from '../e2e/peers/requests.ts'
import type { LabMode } from './lab-mode.ts'
import { labModes } from './lab-modes.ts'
import { type LabService, labObjects, serverPort } from './lab-objects.ts'
import { LabClient, startServer } from './lab-peers.ts'
import type { LabNamespace } from './lab-topology.ts'
import { NetworkLab } from './network-lab.ts'
import { ProxyDaemon, podDetection, writeManifests } from './proxy-daemon.ts'

/** What a flow to a service needs; TCP, ten flows and port 80 unless said. */
export interface FlowRequest {
  readonly protocol?: Protocol
  readonly port?: number
  readonly count?: number
  readonly from?: string
  /** For flows that are expected to get no answer. */
  readonly timeoutMs?: number
}

/** How a scene is opened. */
export interface SceneOptions {
  readonly mode: LabMode
  readonly services: readonly LabService[]
  /** Options of the proxy instead of `podDetection`. */
  readonly args?: readonly string[]
}

/** A lab with servers in its pods, clients where they are asked for, and the proxy on its node. */
export class LabScene {
  readonly lab = NetworkLab.open()
  readonly folder = mkdtempSync(`${tmpdir()}/portolan-lab-`)
  readonly mode: LabMode
  readonly #clients = new Map<LabNamespace, LabClient>()
  #daemon: ProxyDaemon | undefined

  private constructor(mode: LabMode) {
    this.mode = mode
  }

  /** Opens a lab in which services are served in a mode. */
  static async open(options: SceneOptions): Promise<LabScene> {
    const scene = await LabScene.openIdle(options)
    try {
      await scene.startDaemon(options.args)
      return scene
    } catch (error) {
      scene.close()
      throw error
    }
  }

  /** Opens a lab whose node is prepared for the mode; the proxy does not run yet. */
  static async openIdle({ mode, services }: SceneOptions): Promise<LabScene> {
    const scene = new LabScene(mode)
    try {
      mode.prepare(scene.lab)
      const ports = ['TCP', 'UDP', 'SCTP'].map((protocol) => `${protocol}/${serverPort}`)
      await Promise.all(
        (['a', 'b', 'c'] as const).map((pod) => startServer(scene.lab, `pod-${pod}`, pod, ports)),
      )
      scene.write(services)
      return scene
    } catch (error) {
      scene.close()
      throw error
    }
  }

  get daemon(): ProxyDaemon {
    if (this.#daemon === undefined) throw new Error('the lab has no daemon')
    return this.#daemon
  }

  /** Starts the proxy, again where it has ended; in another mode than the scene's where one is given. */
  async startDaemon(args = podDetection, mode = this.mode): Promise<ProxyDaemon> {
    const daemon = await ProxyDaemon.start(this.lab, this.folder, [...mode.options, ...args])
    this.#daemon = daemon
    daemon.assertStartedAs(mode.expected)
    return daemon
  }

  /** Serves other services; waits until the kernel has them. */
  async serve(services: readonly LabService[]): Promise<void> {
    await this.daemon.apply(labObjects(services))
  }

  /** Writes other services for a proxy that is not running. */
  write(services: readonly LabService[]): void {
    writeManifests(this.folder, labObjects(services))
  }

  /** The client of a namespace. */
  client(namespace: LabNamespace): LabClient {
    const client = this.#clients.get(namespace) ?? new LabClient(this.lab, namespace)
    this.#clients.set(namespace, client)
    return client
  }

  /** Opens flows one after the other and counts what they got. */
  connect(namespace: LabNamespace, address: string, flow: FlowRequest = {}): Promise<Answers> {
    const defaults = { protocol: 'TCP', port: 80, count: 10, timeoutMs: 5_000 } as const
    return this.client(namespace).ask({ kind: 'connect', ...defaults, ...flow, address })
  }

  close(): void {
    this.lab.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A test in a scene. */
export type SceneTest = (name: string, run: (scene: LabScene) => Promise<void>) => void

/** A suite whose tests share one scene in each mode. Without root or a needed program each test is reported
 *  as skipped with the reason. Run it with `run` of what is returned. */
export function labSuite(
  title: string,
  services: readonly LabService[],
  args?: readonly string[],
  modes: readonly LabMode[] = labModes(),
): { readonly test: SceneTest; run(): void } {
  const suites = modes.map((mode) =>
    sceneSuite(`${title} (${mode.title})`, mode.hindrance(), () =>
      LabScene.open({ mode, services, ...(args === undefined ? {} : { args }) }),
    ),
  )
  return {
    test(name, run) {
      for (const each of suites) each.test(name, run)
    },
    run() {
      for (const each of suites) each.run()
    },
  }
}

/** A suite whose tests share one scene that is opened before the first of them, or, with a `reason` why it
 *  cannot be, reported as skipped. */
export function sceneSuite(
  title: string,
  reason: string | undefined,
  open: () => Promise<LabScene>,
): { readonly test: SceneTest; run(): void } {
  const tests: Test = suite(title)
  let scene: LabScene | undefined
  // uvu swallows what a hook throws: the tests say it.
  let failure: unknown = new Error('the lab was not opened')
  if (reason === undefined) {
    tests.before(async () => {
      scene = await open().catch((error: unknown) => {
        failure = error
        return undefined
      })
    })
    tests.after(() => scene?.close())
  }
  const test: SceneTest = (name, run) => {
    if (reason !== undefined) {
      process.stdout.write(`# skipped: ${title}: ${name}: ${reason}\n`)
      tests.skip(name)
      return
    }
    tests(name, async () => {
      if (scene === undefined) throw failure
      await run(scene)
    })
  }
  return { test, run: () => tests.run() }
}
