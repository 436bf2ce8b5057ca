import { readFileSync } from 'node:fs'
import { configureProxy } from '../proxy/config/configure-proxy.ts'
import { type ProxyFlag, proxyFlags } from '../proxy/config/proxy-flags.ts'
import { type ProxyOptions, resolveProxyOptions } from '../proxy/config/proxy-options.ts'
import type { SourceLocation } from '../proxy/open-source.ts'
import { failure } from './cli-error.ts'
import type { CliIo, CommandInput, CommandOption } from './subcommand.ts'

/** Where the cluster is, and how this node proxies it. */
export interface ClusterInput {
  readonly location: SourceLocation
  readonly options: ProxyOptions
  readonly warnings: readonly string[]
}

/** Options that say where the cluster's state comes from, in every subcommand. */
export const sourceOptions: readonly CommandOption[] = [
  {
    name: 'manifests',
    value: 'DIR',
    summary: 'folder of YAML or JSON manifests instead of an API server; it is watched',
  },
  {
    name: 'kubeconfig',
    value: 'FILE',
    summary: 'kubeconfig file (default: $KUBECONFIG, then the in-cluster service account)',
  },
]

/** kube-proxy's flags as options; without those that the program has of its own. */
export const allProxyOptions: readonly CommandOption[] = proxyFlags
  .filter(({ name }) => !sourceOptions.some((option) => option.name === name))
  .map(flagOption)

/** The flags that decide what a plan looks like, for commands that only look. */
export const planOptions: readonly CommandOption[] = [
  'config',
  'proxy-mode',
  'master',
  'hostname-override',
  'bind-address',
  'nodeport-addresses',
  'detect-local-mode',
  'cluster-cidr',
  'pod-bridge-interface',
  'pod-interface-name-prefix',
  'masquerade-all',
  'iptables-masquerade-bit',
].flatMap((name) => allProxyOptions.filter((option) => option.name === name))

/** Decodes the options of this file. Throws DecodeError for wrong values, CliError when the file cannot be
 *  read. */
export function readClusterInput(input: CommandInput, io: CliIo): ClusterInput {
  const { config, manifests, master } = input.texts
  const file = !config ? undefined : { name: config, content: readConfig(config) }
  const { configuration, warnings, disabledServers } = configureProxy(input.texts, file)
  const options = resolveProxyOptions(configuration, io.hostname)
  const location = locateSource(options.kubeconfig, manifests, master, io)
  const isOff = (name: 'healthz' | 'metrics') => disabledServers.includes(name)
  return {
    location,
    options: {
      ...options,
      healthzAddress: isOff('healthz') ? undefined : options.healthzAddress,
      metricsAddress: isOff('metrics') ? undefined : options.metricsAddress,
    },
    warnings,
  }
}

function readConfig(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw failure(`--config ${file}: cannot be read (${reason}); give a readable file`, error)
  }
}

function locateSource(
  kubeconfig: string,
  manifests: string | undefined,
  master: string | undefined,
  { environment }: CliIo,
): SourceLocation {
  if (manifests !== undefined) return { kind: 'manifests', folder: manifests }
  return { kind: 'cluster', kubeconfig, master, environment }
}

function flagOption(flag: ProxyFlag): CommandOption {
  const standard = flag.standard === '' || flag.standard === '[]' ? '' : ` (${flag.standard})`
  return {
    name: flag.name,
    ...(flag.short === undefined ? {} : { short: flag.short }),
    value: flag.type,
    isSwitch: flag.type === 'bool',
    isList: flag.type === 'strings' || flag.type === 'mapStringBool',
    group: "kube-proxy's flags:",
    summary: `${flag.summary}${standard}`,
  }
}
