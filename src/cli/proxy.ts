import { watch, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { systemClock } from '../kube/clock.ts'
import { formatSourceEvent } from '../kube/source-event.ts'
import { ConntrackConnection } from '../netlink/conntrack.ts'
import { watchRoute } from '../netlink/watch-route.ts'
import {
  createLogger,
  type Logger,
  type LogLevel,
  levelOfVerbosity,
  logLevels,
} from '../observe/logger.ts'
import { createProxyMetrics } from '../observe/proxy-metrics.ts'
import { formatConfiguration } from '../proxy/config/describe-configuration.ts'
import type { ProxyOptions } from '../proxy/config/proxy-options.ts'
import { readLocalAddresses } from '../proxy/local-addresses.ts'
import { openSource } from '../proxy/open-source.ts'
import { runProxy } from '../proxy/run-proxy.ts'
import { nodeSettings, tuneNode } from '../proxy/tune-node.ts'
import { cleanUp } from './clean-up.ts'
import { failure, usageError } from './cli-error.ts'
import {
  allProxyOptions,
  type ClusterInput,
  readClusterInput,
  sourceOptions,
} from './cluster-input.ts'
import { formatFrontends, frontendRows } from './frontend-rows.ts'
import { loadCluster } from './load-cluster.ts'
import { openMechanism } from './open-mechanism.ts'
import { outputOption, printValue } from './output-option.ts'
import { boundMemory, releaseMemory } from './process-memory.ts'
import { requireNetAdmin } from './require-net-admin.ts'
import type { CliIo, CommandInput, ExitCode, Subcommand } from './subcommand.ts'

/** `portolan proxy`: the daemon. */
export const proxy: Subcommand = {
  name: 'proxy',
  summary: 'Serve the Services of a cluster on this node (what kube-proxy does)',
  notes: `Examples:
  portolan proxy --kubeconfig /etc/kubernetes/proxy.conf
  portolan proxy --config kube-proxy.yaml
  portolan proxy --manifests ./manifests --dry-run     print the frontends, write nothing
  portolan proxy --cleanup                             remove what this program wrote
  portolan proxy --cleanup --proxy-mode iptables       the same for iptables mode

Needs CAP_NET_ADMIN, except with --dry-run. SIGTERM and SIGINT end it and leave the rules.`,
  options: [
    ...sourceOptions,
    { name: 'dry-run', summary: 'print what would be served, write nothing, and exit' },
    { name: 'log-level', value: 'LEVEL', summary: 'error, warn, info or debug (default: by --v)' },
    outputOption,
    ...allProxyOptions,
  ],
  run,
}

async function run(input: CommandInput, io: CliIo, signal: AbortSignal): Promise<ExitCode> {
  const { texts } = input
  if (texts.cleanup === 'true') return cleanUp(texts['proxy-mode'], io)
  if (texts['dry-run'] === 'true') {
    const { plan } = await loadCluster(input, io, signal)
    printValue(input, io, frontendRows(plan), formatFrontends)
    return 0
  }
  const cluster = readClusterInput(input, io)
  const target = texts['write-config-to']
  if (target !== undefined) return writeConfiguration(target, cluster.options)
  const logger = openLog(input, io, cluster.options)
  for (const warning of cluster.warnings) logger.warn({}, warning)
  // Nothing has to be prepared with more than CAP_NET_ADMIN.
  if (texts['init-only'] === 'true') return 0
  return serve(cluster, texts.config, logger, signal)
}

async function serve(
  { location, options }: ClusterInput,
  configFile: string | undefined,
  logger: Logger,
  signal: AbortSignal,
): Promise<ExitCode> {
  requireNetAdmin()
  boundMemory()
  const closing = new AbortController()
  const living = AbortSignal.any([signal, closing.signal])
  const mechanism = await openMechanism(options.mode, options.configuration)
  const conntrack = openConntrack(logger)
  try {
    const { source, name, readVersion } = await openSource(
      location,
      (event) => logger.warn({}, formatSourceEvent(event)),
      living,
    )
    const { name: mode, way } = mechanism
    logger.info({ node: options.nodeName, source: name, mode, way }, 'starting')
    void readVersion?.().then(
      (version) => logger.info({ source: name, version }, 'API server'),
      // The watches report a server that cannot be reached.
      () => {},
    )
    // A folder of manifests is a trial or a test: it leaves nothing behind on the machine.
    if (location.kind === 'cluster') tune(options, logger)
    const serving = runProxy(
      {
        source,
        options,
        mechanism,
        logger,
        metrics: createProxyMetrics(),
        clock: systemClock,
        stopwatch: () => performance.now(),
        localAddresses: readLocalAddresses,
        watchAddresses: watchRoute,
        conntrack,
        settled: releaseMemory,
      },
      living,
    )
    await Promise.race([serving, configurationChanged(configFile, living)])
    logger.info({}, 'ended; the rules stay')
    return 0
  } finally {
    closing.abort()
    mechanism.close()
    conntrack?.close()
  }
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

/** Rejects when the file changes: as with the original, whoever started us starts us anew with it. */
async function configurationChanged(file: string | undefined, signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  if (file !== undefined) {
    const watcher = watch(file, { signal }, () =>
      reject(failure(`--config ${file}: the file changed; start again to use it`)),
    )
    watcher.on('error', () => {})
  }
  return promise
}

function writeConfiguration(file: string, options: ProxyOptions): ExitCode {
  try {
    writeFileSync(file, formatConfiguration(options.configuration))
    return 0
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw failure(`--write-config-to ${file}: cannot be written (${reason})`, error)
  }
}

function openLog(input: CommandInput, io: CliIo, { configuration }: ProxyOptions): Logger {
  const { format, verbosity } = configuration.logging
  const asked = input.texts['log-level']
  const level: LogLevel | undefined =
    asked === undefined ? levelOfVerbosity(verbosity) : logLevels.find((name) => name === asked)
  if (level === undefined) {
    throw usageError(`--log-level: got "${asked}", expected ${logLevels.join(', ')}`)
  }
  return createLogger({ format, level }, io.error)
}
