import { writeFileSync } from 'node:fs'
import {
  createLogger,
  type Logger,
  type LogLevel,
  levelOfVerbosity,
  logLevels,
} from '../observe/logger.ts'
import { formatConfiguration } from '../proxy/config/describe-configuration.ts'
import type { ProxyOptions } from '../proxy/config/proxy-options.ts'
import { cleanUp } from './clean-up.ts'
import { cleanUpKubeProxy } from './clean-up-kube-proxy.ts'
import { failure, usageError } from './cli-error.ts'
import { allProxyOptions, readClusterInput, sourceOptions } from './cluster-input.ts'
import { formatFrontends, frontendRows } from './frontend-rows.ts'
import { loadCluster } from './load-cluster.ts'
import { outputOption, printValue } from './output-option.ts'
import { portableTableOption } from './portable-table.ts'
import { readRelayOptions, relayOptions } from './relay-options.ts'
import { serveProxy } from './serve-proxy.ts'
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
  portolan proxy --cleanup --proxy-mode iptables       only what it wrote in that mode
  portolan proxy --cleanup-kube-proxy                  remove what a kube-proxy that is gone left

Rules of iptables mode have the names of kube-proxy, so that one can replace the other in place:
--cleanup leaves those that kube-proxy has written anew since, --cleanup-kube-proxy those that
this program has.

Needs CAP_NET_ADMIN, except with --dry-run and with --proxy-mode portable.
SIGTERM and SIGINT end it and leave the rules.`,
  options: [
    ...sourceOptions,
    { name: 'dry-run', summary: 'print what would be served, write nothing, and exit' },
    {
      name: 'cleanup-kube-proxy',
      summary:
        'remove tables, chains, virtual servers and sets of a kube-proxy that is gone, and exit',
    },
    { name: 'log-level', value: 'LEVEL', summary: 'error, warn, info or debug (default: by --v)' },
    outputOption,
    ...relayOptions,
    portableTableOption,
    ...allProxyOptions,
  ],
  run,
}

async function run(input: CommandInput, io: CliIo, signal: AbortSignal): Promise<ExitCode> {
  const { texts } = input
  const isOurs = texts.cleanup === 'true'
  const isOriginals = texts['cleanup-kube-proxy'] === 'true'
  if (isOurs) await cleanUp(texts['proxy-mode'], io)
  if (isOriginals) await cleanUpKubeProxy(io)
  if (isOurs || isOriginals) return 0
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
  return serveProxy(
    {
      cluster,
      logger,
      file: texts.config,
      readAgain: () => readClusterInput(input, io).options,
      relay: readRelayOptions(input),
      portableTable: texts['portable-table'],
    },
    signal,
  )
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
