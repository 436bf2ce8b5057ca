import { type IpvsMechanism, openIpvsMechanism } from '../../../src/ipvs/ipvs-mechanism.ts'
import { resourceKey } from '../../../src/kube/resources.ts'
import { Planner } from '../../../src/proxy/plan/planner.ts'
import type { Plan, SyncReport } from '../../../src/proxy/port/mechanism.ts'
import type { Answers } from '../../e2e/peers/requests.ts'
import { FakeClock } from '../../kube/fake-clock.ts'
import { inNamespace } from '../../support/in-namespace.ts'
import { serverPort } from '../../support/lab-objects.ts'
import { LabClient, startServer } from '../../support/lab-peers.ts'
import type { FlowRequest } from '../../support/lab-scene.ts'
import { type LabNamespace, labAddresses } from '../../support/lab-topology.ts'
import { NetworkLab } from '../../support/network-lab.ts'
import { parseCluster, planContext, prefix } from '../../support/plan-fixture.ts'

/** A lab whose node serves by IPVS. The mechanism runs in this process: a daemon of its own would need
 *  longer to start in an emulated machine than all tests together. */
export class IpvsLab {
  readonly lab = NetworkLab.open()
  readonly clock = new FakeClock()
  readonly #clients = new Map<LabNamespace, LabClient>()
  readonly #context = planContext(
    {
      nodePortAddresses: [labAddresses[4].node, labAddresses[6].node],
      podDetector: {
        kind: 'prefixes',
        prefixes: [prefix(labAddresses[4].nodePods), prefix(labAddresses[6].nodePods)],
      },
    },
    { addresses: [labAddresses[4].node, labAddresses[6].node] },
  )
  readonly #planner = new Planner(this.#context)
  #mechanism: IpvsMechanism

  private constructor() {
    this.#mechanism = this.#inNode(() => this.#open())
  }

  /** Opens the lab with a server in each pod, and serves what the text says (`parseCluster`). */
  static async open(cluster: string): Promise<IpvsLab> {
    const lab = new IpvsLab()
    const ports = ['TCP', 'UDP'].map((protocol) => `${protocol}/${serverPort}`)
    const servers = (['a', 'b', 'c'] as const).map((pod) =>
      startServer(lab.lab, `pod-${pod}`, pod, ports),
    )
    await Promise.all(servers)
    lab.#take(cluster)
    await lab.synchronize()
    return lab
  }

  get plan(): Plan {
    return { node: this.#context.node, services: this.#planner.services }
  }

  /** Serves other services by an update. */
  serve(cluster: string): Promise<SyncReport> {
    this.#take(cluster)
    return this.#inNode(() => this.#mechanism.update(this.#planner.takeChanges()))
  }

  /** A full synchronisation. */
  synchronize(): Promise<SyncReport> {
    this.#planner.takeChanges()
    return this.#inNode(() => this.#mechanism.synchronize(this.plan))
  }

  /** Ends the mechanism and opens another one, as a restart of the daemon does. */
  restart(): Promise<SyncReport> {
    this.#mechanism.close()
    this.#mechanism = this.#inNode(() => this.#open())
    return this.synchronize()
  }

  cleanup(): Promise<SyncReport> {
    return this.#inNode(() => this.#mechanism.cleanup())
  }

  client(namespace: LabNamespace): LabClient {
    const client = this.#clients.get(namespace) ?? new LabClient(this.lab, namespace)
    this.#clients.set(namespace, client)
    return client
  }

  /** Opens flows one after the other and counts what they got. */
  connect(namespace: LabNamespace, address: string, flow: FlowRequest = {}): Promise<Answers> {
    const defaults = { protocol: 'TCP', port: 80, count: 10, timeoutMs: 10_000 } as const
    return this.client(namespace).ask({ kind: 'connect', ...defaults, ...flow, address })
  }

  close(): void {
    this.#mechanism.close()
    this.lab.close()
  }

  #open(): IpvsMechanism {
    const timeouts = { tcp: 0, tcpFin: 0, udp: 0 }
    const { clock } = this
    return openIpvsMechanism({
      scheduler: '',
      excludeCidrs: [],
      isArpStrict: false,
      timeouts,
      clock,
    })
  }

  #take(cluster: string): void {
    const { services, slices } = parseCluster(cluster)
    for (const service of services) this.#planner.setService(resourceKey(service), service)
    for (const slice of slices) this.#planner.setSlice(resourceKey(slice), slice)
  }

  /** The mechanism does everything within the call, so that all of it happens in the node's namespace. */
  #inNode<T>(body: () => T): T {
    return inNamespace(this.lab.path('node'), body)
  }
}
