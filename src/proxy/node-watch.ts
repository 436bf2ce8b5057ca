import type { Clock } from '../kube/clock.ts'
import type { Node, ServiceCIDR } from '../kube/resources.ts'
import type { Store } from '../kube/store.ts'
import { type NodeSettings, resolveNodeSettings } from './config/node-settings.ts'
import type { ProxyOptions } from './config/proxy-options.ts'

/** What settings of this node are made of. */
export interface NodeWatchOptions {
  /** The options in force, asked anew at each call. */
  readonly options: () => ProxyOptions
  /** Holds this node, when the source has it. */
  readonly nodes: Store<Node>
  readonly serviceCidrs: Store<ServiceCIDR>
  /** Canonical addresses of the node's interfaces, read anew at each call. */
  readonly localAddresses: () => readonly string[]
  /** Calls back when an interface or address changes, until the signal is aborted. */
  readonly watchAddresses: (changed: () => void, signal: AbortSignal) => void
  readonly clock: Clock
}

/** Every new pod changes interfaces several times: they are looked at once after this time. */
const settleMs = 100

/** The settings of this node, resolved anew when the Node object or an address changes. */
export class NodeWatch {
  readonly #watch: NodeWatchOptions
  #settings: NodeSettings
  #text: string

  constructor(watch: NodeWatchOptions) {
    this.#watch = watch
    this.#settings = this.#resolve()
    this.#text = JSON.stringify(this.#settings)
  }

  /** The present settings. */
  get settings(): NodeSettings {
    return this.#settings
  }

  /** Whether everything is known that the settings need: NodeCIDR needs the node's podCIDRs. */
  get isComplete(): boolean {
    const { podDetector } = this.#settings.plan
    return this.#watch.options().detectLocal.mode !== 'NodeCIDR' || podDetector.kind !== 'none'
  }

  /** Takes over changed options, without a call to the follower. */
  refresh(): void {
    this.#settings = this.#resolve()
    this.#text = JSON.stringify(this.#settings)
  }

  /** Calls back with changed settings until the signal is aborted. */
  follow(changed: (settings: NodeSettings) => void, signal: AbortSignal): void {
    if (signal.aborted) return
    const refresh = () => {
      const settings = this.#resolve()
      const text = JSON.stringify(settings)
      if (text === this.#text) return
      this.#settings = settings
      this.#text = text
      changed(settings)
    }
    const { nodes, serviceCidrs, clock, watchAddresses } = this.#watch
    let cancel: (() => void) | undefined
    const unsubscribe = [nodes.subscribe(refresh), serviceCidrs.subscribe(refresh)]
    watchAddresses(() => {
      cancel ??= clock.schedule(() => {
        cancel = undefined
        refresh()
      }, settleMs)
    }, signal)
    signal.addEventListener(
      'abort',
      () => {
        for (const end of unsubscribe) end()
        cancel?.()
      },
      { once: true },
    )
    // What changed before the watch began.
    refresh()
  }

  #resolve(): NodeSettings {
    const { nodes, serviceCidrs, localAddresses } = this.#watch
    const options = this.#watch.options()
    const cidrs = [...serviceCidrs.values()].flatMap((object) => object.cidrs)
    return resolveNodeSettings(options, nodes.get(options.nodeName), localAddresses(), cidrs)
  }
}
