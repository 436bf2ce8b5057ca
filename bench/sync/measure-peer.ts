import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { findClusterAccess } from '../../src/kube/find-cluster-access.ts'
import { ApiWriter } from '../support/api-writer.ts'
import type { BenchmarkOptions, Row } from '../support/benchmark.ts'
import { addressesOf, replacementAddress, sliceJson } from '../support/generate-cluster.ts'
import { distribution, significant } from '../support/percentile.ts'
import { createCluster, putSlice, removeCluster } from './peer-cluster.ts'
import { type PeerOrder, type ProbeMessage, relayPort } from './peer-messages.ts'

/** The rules are steady when they have not changed for this long. */
const quietMs = 5000

/** Single changes of a peer; it needs seconds for one. */
const maximumChanges = 20

type PeerOptions = Omit<BenchmarkOptions, 'services' | 'peer' | 'kubeconfig'> & {
  readonly services: number
  readonly peer: string
  readonly kubeconfig: string
}

/** Puts a generated cluster into the API server, runs the peer in a namespace of its own and measures
 *  from outside: from a write's answer to the change of the rules. Removes the cluster afterwards. */
export async function measurePeer(
  options: PeerOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<Row[]> {
  const access = await findClusterAccess({ kubeconfig: options.kubeconfig, environment: {} })
  if (access === undefined) throw new Error(`${options.kubeconfig}: names no cluster`)
  const folder = mkdtempSync(join(tmpdir(), 'portolan-peer-'))
  const writer = new ApiWriter(access)
  const relay = startRelay(join(folder, 'api'), new URL(access.server))
  let probe: Probe | undefined
  try {
    print('writing the objects to the API server')
    await createCluster(writer, options)
    const kubeconfigFile = join(folder, 'kubeconfig')
    writeFileSync(kubeconfigFile, relayedKubeconfig(options.kubeconfig, access.server))
    probe = new Probe({ binary: options.peer, kubeconfigFile, socketFile: join(folder, 'api') })
    return await measure(options, writer, probe, signal)
  } finally {
    probe?.close()
    relay.close()
    await removeCluster(writer, options.services)
    await writer.close()
    rmSync(folder, { recursive: true })
  }
}

async function measure(
  options: PeerOptions,
  writer: ApiWriter,
  probe: Probe,
  signal: AbortSignal,
): Promise<Row[]> {
  const subject = `${options.peer.split('/').at(-1)} nftables`
  const size = `${options.services}x${options.endpoints}`
  const coldMs = await probe.steady(signal)
  const times: number[] = []
  const before = await probe.syncDuration()
  for (let turn = 0; turn < Math.min(options.changes, maximumChanges); turn++) {
    const index = (turn * 7919) % options.services
    const [, ...others] = addressesOf(index, options.endpoints)
    const next = probe.nextChange(signal)
    await putSlice(writer, sliceJson(index, [replacementAddress(turn), ...others], ''))
    const start = performance.timeOrigin + performance.now()
    times.push((await next) - start)
    await delay(quietMs / 5, undefined, { signal })
  }
  const after = await probe.syncDuration()
  const synchronizations = after.count - before.count
  const work = `${size} one endpoint replaced`
  return [
    {
      subject,
      work: `${size} cold sync`,
      metric: 'start to last change of the rules',
      unit: 'ms',
      value: significant(coldMs),
    },
    {
      subject,
      work,
      metric: 'write answered to rules changed',
      unit: 'ms',
      ...distribution(times),
    },
    ...(synchronizations === 0
      ? []
      : [
          {
            subject,
            work,
            metric: 'own sync duration, mean',
            unit: 'ms',
            value: significant((1000 * (after.sum - before.sum)) / synchronizations),
          },
        ]),
  ]
}

/** The process that runs the peer in its namespace. */
class Probe {
  readonly #child: ChildProcess
  readonly #listeners = new Set<(message: ProbeMessage) => void>()
  #startedMs = 0
  #changedMs = 0

  constructor(order: PeerOrder) {
    const file = new URL('./peer-probe.ts', import.meta.url).pathname
    this.#child = spawn('unshare', ['--net', process.execPath, file, JSON.stringify(order)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (message: ProbeMessage) => {
      if (message.kind === 'started') this.#startedMs = message.atMs
      if (message.kind === 'rules changed') this.#changedMs = message.atMs
      for (const listener of this.#listeners) listener(message)
    })
  }

  /** Waits until the rules are there and steady; gives the time from start to their last change. */
  async steady(signal: AbortSignal): Promise<number> {
    const now = (): number => performance.timeOrigin + performance.now()
    while (this.#changedMs === 0 || now() - this.#changedMs < quietMs) {
      if (this.#child.exitCode !== null)
        throw new Error('peer: the probe ended; its words are above')
      await delay(100, undefined, { signal })
    }
    return this.#changedMs - this.#startedMs
  }

  /** The time of the next change of the rules. */
  async nextChange(signal: AbortSignal): Promise<number> {
    const message = await this.#next('rules changed', signal)
    return message.kind === 'metrics' ? 0 : message.atMs
  }

  /** Sum, seconds, and count of the peer's own histogram of synchronisations. */
  async syncDuration(): Promise<{ readonly sum: number; readonly count: number }> {
    const answer = this.#next('metrics', AbortSignal.timeout(10_000))
    this.#child.send('metrics')
    const message = await answer
    const text = message.kind === 'metrics' ? message.text : ''
    const figure = (suffix: string): number =>
      [
        ...text.matchAll(
          new RegExp(`^kubeproxy_sync_proxy_rules_duration_seconds_${suffix}.* (\\S+)$`, 'gm'),
        ),
      ]
        .map((match) => Number(match[1]))
        .reduce((sum, value) => sum + value, 0)
    return { sum: figure('sum'), count: figure('count') }
  }

  close(): void {
    this.#child.disconnect()
  }

  #next(kind: ProbeMessage['kind'], signal: AbortSignal): Promise<ProbeMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<ProbeMessage>()
    const listener = (message: ProbeMessage): void => {
      if (message.kind === kind) resolve(message)
    }
    this.#listeners.add(listener)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    return promise.finally(() => this.#listeners.delete(listener))
  }
}

function startRelay(socketFile: string, server: URL): Server {
  const port = Number(server.port === '' ? 443 : server.port)
  const relay = createServer((inside) => {
    const outside = connect(port, server.hostname.replace(/^\[|\]$/g, ''))
    inside.pipe(outside).pipe(inside)
    for (const side of [inside, outside]) {
      side.on('error', () => {
        inside.destroy()
        outside.destroy()
      })
    }
  })
  return relay.listen(socketFile)
}

/** The same credentials with the relay as the server; certificates are checked against the real name. */
function relayedKubeconfig(file: string, server: string): string {
  const url = new URL(server)
  const document = parse(readFileSync(file, 'utf8'))
  for (const { cluster } of document.clusters ?? []) {
    if (cluster?.server !== undefined) cluster.server = `${url.protocol}//127.0.0.1:${relayPort}`
    if (url.protocol === 'https:') cluster['tls-server-name'] ??= url.hostname
  }
  return stringify(document)
}
