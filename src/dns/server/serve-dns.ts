import { readFileSync } from 'node:fs'
import type { ClusterSource } from '../../kube/store.ts'
import { ListenError } from '../../observe/listen-error.ts'
import type { Logger } from '../../observe/logger.ts'
import { openReactor } from '../../reactor/open-reactor.ts'
import type { Reactor } from '../../reactor/reactor.ts'
import { ReactorError } from '../../reactor/reactor-error.ts'
import type { Corefile } from '../corefile/check-corefile.ts'
import { type BuiltBlock, buildServers, type DnsListener } from '../plugins/build-servers.ts'
import { systemParts } from '../plugins/system-parts.ts'
import { kubernetesPlugin } from '../zone/kubernetes-plugin.ts'
import { createDnsMetrics } from './dns-metrics.ts'
import { openResponder } from './open-responder.ts'
import { listenPages } from './status-pages.ts'
import { listenTcp } from './tcp-listener.ts'
import { listenUdp, type OpenListener } from './udp-listener.ts'
import { type WatchedNames, watchNames } from './watch-names.ts'

/** What a DNS server is put together from. */
export interface DnsParts {
  readonly corefile: Corefile
  /** The cluster's state, for `kubernetes`. */
  readonly source: ClusterSource
  readonly logger: Logger
  readonly localAddresses: () => readonly string[]
  /** Told once queries are answered. */
  readonly listening: (labels: readonly string[]) => void
}

/** Serves a Corefile until the signal is aborted. Rejects when something that it names cannot be had: an
 *  address, a certificate, the cluster. */
export async function serveDns(parts: DnsParts, signal: AbortSignal): Promise<void> {
  const ending = new AbortController()
  const living = AbortSignal.any([signal, ending.signal])
  const metrics = createDnsMetrics()
  const system = systemParts({ randomizesCase: false })
  const reactor = openReactor({}, living)
  const watched: WatchedNames[] = []
  const { promise: looped, reject: onLoop } = Promise.withResolvers<never>()
  const listeners = buildServers(parts.corefile, {
    ...system,
    log: parts.logger,
    kubernetes: (settings) => {
      const cluster = watchNames(parts.source, settings, living)
      watched.push(cluster)
      const { localAddresses } = parts
      return kubernetesPlugin(settings, {
        names: cluster.names,
        localAddresses,
        searchDomains: [],
      })
    },
    onLoop: (reason) => onLoop(new Error(reason)),
    cacheObserver: metrics.cache,
    forwardObserver: metrics.forward,
  })
  const blocks = [...new Set(listeners.flatMap((listener) => listener.blocks))]
  const open: OpenListener[] = []
  try {
    for (const listener of listeners) {
      const responder = openResponder(listener, {
        names: watched.map(({ names }) => names),
        observer: metrics.observe(listener.label, (error) =>
          parts.logger.error({ error: String(error) }, 'a plugin failed; the client got SERVFAIL'),
        ),
        random: Math.random,
        nowMs: system.clock.now,
      })
      open.push(...(await listen(reactor, listener, responder)))
    }
    open.push(...(await listenPages(blocks, { metrics, isHealthy: () => !signal.aborted })))
    const running = [...watched.map(({ ended }) => ended), ...runPlugins(blocks, living)]
    await Promise.race([Promise.all(watched.map(({ synced }) => synced)), ended(signal), looped])
    parts.listening(listeners.map(({ label }) => label))
    await Promise.race([ended(signal), looped, firstFailure(running)])
    await lameduck(blocks)
  } finally {
    ending.abort()
    await Promise.all(open.map((each) => each.close()))
    await reactor.closed
  }
}

async function listen(
  reactor: Reactor,
  listener: DnsListener,
  responder: ReturnType<typeof openResponder>,
): Promise<OpenListener[]> {
  const { label, host, port, transport, blocks } = listener
  if (transport === 'https') {
    throw new Error(`${label}: DNS over HTTPS is not served yet; use dns:// or tls://`)
  }
  const tls = transport === 'tls' ? tlsOf(label, blocks) : undefined
  const sockets: OpenListener[] = []
  // One socket for each family: one for both would show IPv4 clients by addresses of the other.
  for (const each of host === '' ? allAddresses : [host]) {
    try {
      sockets.push(await listenTcp(each, port, responder, tls))
      if (tls === undefined) sockets.push(await listenUdp(reactor, each, port, responder))
    } catch (error) {
      // A machine without IPv6 serves IPv4.
      if (host === '' && each === '::' && codeOf(error) === 'EAFNOSUPPORT') continue
      await Promise.all(sockets.map((socket) => socket.close()))
      if (error instanceof ReactorError) throw error
      const shown = each.includes(':') ? `[${each}]` : each
      throw new ListenError('DNS server', `${shown}:${port}`, error as NodeJS.ErrnoException)
    }
  }
  return sockets
}

const allAddresses = ['0.0.0.0', '::'] as const

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** The certificate of the first block that has one. */
function tlsOf(label: string, blocks: readonly BuiltBlock[]): { cert: Buffer; key: Buffer } {
  for (const { settings } of blocks) {
    for (const { certificate, key } of settings.settings.tls ?? []) {
      return { cert: readFileSync(certificate), key: readFileSync(key) }
    }
  }
  throw new Error(`${label}: the block has no tls directive with certificate and key`)
}

function runPlugins(blocks: readonly BuiltBlock[], signal: AbortSignal): Promise<void>[] {
  return blocks.flatMap(({ chain }) =>
    chain.plugins.flatMap((plugin) => (plugin.run === undefined ? [] : [plugin.run(signal)])),
  )
}

/** Rejects with the first failure; parts that end well are no end. */
async function firstFailure(running: readonly Promise<void>[]): Promise<never> {
  await Promise.all(running)
  return new Promise<never>(() => {})
}

/** Answers for a while longer than /health says so, as `health { lameduck }` asks. */
async function lameduck(blocks: readonly BuiltBlock[]): Promise<void> {
  const times = blocks.flatMap(({ settings }) =>
    (settings.settings.health ?? []).map(({ lameduckMs }) => lameduckMs),
  )
  const longestMs = Math.max(0, ...times)
  if (longestMs > 0) await new Promise((resolve) => setTimeout(resolve, longestMs))
}

function ended(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) resolve()
  signal.addEventListener('abort', () => resolve(), { once: true })
  return promise
}
