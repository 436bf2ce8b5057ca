import { availableParallelism } from 'node:os'
import { systemClock } from '../kube/clock.ts'
import { formatSourceEvent } from '../kube/source-event.ts'
import { ConntrackConnection } from '../netlink/conntrack.ts'
import { watchRoute } from '../netlink/watch-route.ts'
import type { Logger } from '../observe/logger.ts'
import { createProxyMetrics } from '../observe/proxy-metrics.ts'
import type { ProxyOptions } from '../proxy/config/proxy-options.ts'
import { readLocalAddresses } from '../proxy/local-addresses.ts'
import { openSource } from '../proxy/open-source.ts'
import type { RelayOptions } from '../proxy/relay/relay-options.ts'
import { runProxy } from '../proxy/run-proxy.ts'
import { RunningSetup } from '../proxy/running-setup.ts'
import { nodeSettings, tuneNode } from '../proxy/tune-node.ts'
import type { ClusterInput } from './cluster-input.ts'
import { followConfiguration } from './configuration-changes.ts'
import { openLeftovers } from './open-leftovers.ts'
import { chooseMechanism, type MechanismContext } from './open-mechanism.ts'
import { boundMemory, releaseMemory } from './process-memory.ts'
import { reloadSetup } from './reload-setup.ts'
import { requireNetAdmin } from './require-net-admin.ts'
import type { ExitCode } from './subcommand.ts'

/** What the daemon is started with. */
export interface ServeInput {
  readonly cluster: ClusterInput
  readonly logger: Logger
  /** The configuration file; undefined: none. */
  readonly file: string | undefined
  /** Reads options and file again; throws what is wrong with them. */
  readonly readAgain: () => ProxyOptions
  /** Of modes that relay in user space. */
  readonly relay: RelayOptions
  /** Where portable mode keeps its table; undefined: nowhere. */
  readonly portableTable: string | undefined
}

/** Serves the cluster until the signal is aborted. Rejects with what keeps it from starting or going on,
 *  and with a failure when a field of the configuration changes that only a start takes over: whoever
 *  started us starts us anew with it, as with the original. */
export async function serveProxy(input: ServeInput, signal: AbortSignal): Promise<ExitCode> {
  const { cluster, logger } = input
  const { options, location } = cluster
  // Sockets are all that this mode needs of a system.
  const isPortable = options.mode === 'portable'
  if (!isPortable) requireNetAdmin()
  boundMemory()
  const closing = new AbortController()
  const living = AbortSignal.any([signal, closing.signal])
  const context: MechanismContext = {
    warn: (text) => logger.warn({}, text),
    inform: (text) => logger.info({}, text),
    relay: input.relay,
    portableTable: input.portableTable,
  }
  const setup = await openSetup(options, context, logger)
  const conntrack = isPortable ? undefined : openConntrack(logger)
  try {
    const { source, name, readVersion } = await openSource(
      location,
      (event) => logger.warn({}, formatSourceEvent(event)),
      living,
    )
    const { name: mode, way } = setup.present.mechanism
    logger.info({ node: options.nodeName, source: name, mode, way }, 'starting')
    void readVersion?.().then(
      (version) => logger.info({ source: name, version }, 'API server'),
      // The watches report a server that cannot be reached.
      () => {},
    )
    // A folder of manifests is a trial or a test: it leaves nothing behind on the machine.
    const setNode = location.kind === 'cluster' && !isPortable ? tune : () => {}
    setNode(options, logger)
    const serving = runProxy(
      {
        source,
        setup,
        logger,
        metrics: createProxyMetrics(),
        clock: systemClock,
        stopwatch: () => performance.now(),
        localAddresses: readLocalAddresses,
        watchAddresses: isPortable ? () => {} : watchRoute,
        conntrack,
        settled: releaseMemory,
      },
      living,
    )
    const reload = () =>
      reloadSetup({
        setup,
        read: input.readAgain,
        context,
        logger,
        tune: (next) => setNode(next, logger),
      })
    await Promise.race([serving, reloads(input, reload, living)])
    logger.info({}, isPortable ? 'ended' : 'ended; the rules stay')
    return 0
  } finally {
    closing.abort()
    setup.close()
    conntrack?.close()
  }
}

async function openSetup(
  options: ProxyOptions,
  context: MechanismContext,
  logger: Logger,
): Promise<RunningSetup> {
  const { mechanism, reason } = await chooseMechanism(options.configuration, context)
  const { name: mode, way } = mechanism
  if (reason !== undefined) logger.info({ mode, way, reason }, 'picked a mode')
  const leftovers = mode === 'portable' ? [] : await openLeftovers(mode, options.configuration)
  for (const { name } of leftovers) {
    logger.info({ mode: name }, 'found rules of another mode; they go once this one is complete')
  }
  return new RunningSetup({ options, mechanism }, leftovers)
}

/** Reloads, one after the other, for as long as the signal lasts; rejects when one says that only a start
 *  helps. */
async function reloads(
  { file, logger }: ServeInput,
  reload: () => Promise<void>,
  signal: AbortSignal,
): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  let last: Promise<void> = Promise.resolve()
  followConfiguration(
    file,
    systemClock,
    (why) => {
      logger.info({ why, file }, 'reading the configuration again')
      last = last.then(reload).catch(reject)
    },
    signal,
  )
  return promise
}

/** Connection tracking and memory settings of the configuration. */
function tune({ configuration }: ProxyOptions, logger: Logger): void {
  for (const outcome of tuneNode(nodeSettings(configuration, availableParallelism()))) {
    const { field, path, value } = outcome.setting
    if (outcome.kind === 'written') {
      logger.info({ field, path, value, before: outcome.before }, 'set a value of the kernel')
    } else
      logger.warn({ field, path, reason: outcome.reason }, 'could not set a value of the kernel')
  }
}

/** Undefined, with a warning, when the kernel has no connection tracking to look at. */
function openConntrack(logger: Logger): ConntrackConnection | undefined {
  try {
    return ConntrackConnection.open()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    logger.warn({ reason }, 'UDP flows to endpoints that are gone will not be ended')
    return undefined
  }
}
