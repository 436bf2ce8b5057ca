/** How the original reads a flag's text (spf13/pflag and its own types). */
export type ProxyFlagType =
  | 'bool'
  | 'int32'
  | 'float32'
  | 'string'
  | 'strings'
  | 'duration'
  | 'ip'
  | 'ipport'
  | 'mapStringBool'

/** One flag of kube-proxy. */
export interface ProxyFlag {
  readonly name: string
  readonly short?: string
  readonly type: ProxyFlagType
  /** The original's default, as its help prints it. */
  readonly standard: string
  /** The KubeProxyConfiguration field that it sets; undefined: it is no part of the configuration. */
  readonly field: string | undefined
  /** Whether it counts beside --config (the original ignores the others then). */
  readonly besideConfig: boolean
  readonly summary: string
}

/** Every flag of kube-proxy 1.36 on Linux: cmd/kube-proxy/app/options.go and component-base's logging and
 *  version flags. `help` is the command line parser's own. */
export const proxyFlags: readonly ProxyFlag[] = [
  own('config', 'string', 'configuration file; other configuration flags are ignored then'),
  own('write-config-to', 'string', 'write the default configuration to this file and exit'),
  own('cleanup', 'bool', 'remove exactly what this program wrote to the kernel, and exit', 'false'),
  own('init-only', 'bool', 'do what needs full root privileges, then exit', 'false'),
  own('master', 'string', 'address of the API server; goes before the kubeconfig'),
  row('hostname-override', 'string', '', 'hostnameOverride', 'name of this node', true),
  row('kubeconfig', 'string', '', 'clientConnection.kubeconfig', 'kubeconfig file', true),
  row('feature-gates', 'mapStringBool', '', 'featureGates', 'accepted; no gate changes anything'),
  row(
    'kube-api-content-type',
    'string',
    'application/vnd.kubernetes.protobuf',
    'clientConnection.contentType',
    'accepted; JSON is spoken',
  ),
  row('kube-api-burst', 'int32', '10', 'clientConnection.burst', 'accepted; requests are few'),
  row('kube-api-qps', 'float32', '5', 'clientConnection.qps', 'accepted; requests are few'),
  row('bind-address', 'ip', '0.0.0.0', 'bindAddress', "the node's primary address"),
  row('healthz-bind-address', 'ipport', '0.0.0.0:10256', 'healthzBindAddress', 'health checks'),
  row('metrics-bind-address', 'ipport', '127.0.0.1:10249', 'metricsBindAddress', 'metrics'),
  row(
    'bind-address-hard-fail',
    'bool',
    'false',
    'bindAddressHardFail',
    'a port that cannot be bound ends the program',
  ),
  row('profiling', 'bool', 'false', 'enableProfiling', 'accepted; there is no profiling page'),
  row(
    'show-hidden-metrics-for-version',
    'string',
    '',
    'showHiddenMetricsForVersion',
    'accepted; nothing is hidden',
  ),
  row(
    'proxy-mode',
    'string',
    '',
    'mode',
    'nftables, iptables, ipvs, userspace or portable (blank: nftables)',
  ),
  row('iptables-masquerade-bit', 'int32', '14', 'iptables.masqueradeBit', 'mark bit, 0..31'),
  row(
    'masquerade-all',
    'bool',
    'false',
    'nftables.masqueradeAll',
    'masquerade everything that is sent to cluster addresses',
  ),
  row(
    'iptables-localhost-nodeports',
    'bool',
    'true',
    'iptables.localhostNodePorts',
    'iptables mode only',
  ),
  row(
    'iptables-sync-period',
    'duration',
    '30s',
    'nftables.syncPeriod',
    'interval of full comparisons with the kernel',
  ),
  row(
    'iptables-min-sync-period',
    'duration',
    '1s',
    'nftables.minSyncPeriod',
    'shortest time between two writes (here 0 unless set)',
  ),
  row('ipvs-sync-period', 'duration', '30s', 'ipvs.syncPeriod', 'ipvs mode only'),
  row('ipvs-min-sync-period', 'duration', '1s', 'ipvs.minSyncPeriod', 'ipvs mode only'),
  row('ipvs-scheduler', 'string', '', 'ipvs.scheduler', 'ipvs mode only'),
  row('ipvs-exclude-cidrs', 'strings', '[]', 'ipvs.excludeCIDRs', 'ipvs mode only'),
  row('ipvs-strict-arp', 'bool', 'false', 'ipvs.strictARP', 'ipvs mode only'),
  row('ipvs-tcp-timeout', 'duration', '0s', 'ipvs.tcpTimeout', 'ipvs mode only'),
  row('ipvs-tcpfin-timeout', 'duration', '0s', 'ipvs.tcpFinTimeout', 'ipvs mode only'),
  row('ipvs-udp-timeout', 'duration', '0s', 'ipvs.udpTimeout', 'ipvs mode only'),
  row(
    'detect-local-mode',
    'string',
    '',
    'detectLocalMode',
    'ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix',
  ),
  row('pod-bridge-interface', 'string', '', 'detectLocal.bridgeInterface', "the pods' bridge"),
  row(
    'pod-interface-name-prefix',
    'string',
    '',
    'detectLocal.interfaceNamePrefix',
    "how the names of the pods' interfaces begin",
  ),
  row('cluster-cidr', 'string', '', 'clusterCIDR', 'range of the pods, or one of each family'),
  row(
    'nodeport-addresses',
    'strings',
    '[]',
    'nodePortAddresses',
    'where node ports answer: "primary" (also when unset) or prefixes',
  ),
  row('oom-score-adj', 'int32', '-999', 'oomScoreAdj', 'of this process'),
  row('conntrack-max-per-core', 'int32', '32768', 'conntrack.maxPerCore', 'connections per core'),
  row('conntrack-min', 'int32', '131072', 'conntrack.min', 'least table size'),
  row(
    'conntrack-tcp-timeout-established',
    'duration',
    '24h0m0s',
    'conntrack.tcpEstablishedTimeout',
    'of idle connections',
  ),
  row(
    'conntrack-tcp-timeout-close-wait',
    'duration',
    '1h0m0s',
    'conntrack.tcpCloseWaitTimeout',
    'of half-closed connections',
  ),
  row(
    'conntrack-tcp-be-liberal',
    'bool',
    'false',
    'conntrack.tcpBeLiberal',
    'do not call packets out of the window invalid',
  ),
  row('conntrack-udp-timeout', 'duration', '0s', 'conntrack.udpTimeout', 'without an answer'),
  row(
    'conntrack-udp-timeout-stream',
    'duration',
    '0s',
    'conntrack.udpStreamTimeout',
    'with traffic both ways',
  ),
  row(
    'config-sync-period',
    'duration',
    '15m0s',
    'configSyncPeriod',
    'accepted; watches are checked all the time',
  ),
  own('healthz-port', 'int32', 'deprecated: --healthz-bind-address; 0 disables', '10256'),
  own('metrics-port', 'int32', 'deprecated: --metrics-bind-address; 0 disables', '10249'),
  {
    ...row('v', 'int32', '0', 'logging.verbosity', 'log verbosity, 0..10', true),
    short: 'v',
  },
  own('vmodule', 'string', 'accepted; verbosity is one for all'),
  row('logging-format', 'string', 'text', 'logging.format', 'text or json', true),
  row('log-flush-frequency', 'duration', '5s', 'logging.flushFrequency', 'accepted', true),
  own('log-text-split-stream', 'bool', 'accepted', 'false'),
  own('log-text-info-buffer-size', 'string', 'accepted', '0'),
  own('log-json-split-stream', 'bool', 'accepted', 'false'),
  own('log-json-info-buffer-size', 'string', 'accepted', '0'),
]

function row(
  name: string,
  type: ProxyFlagType,
  standard: string,
  field: string,
  summary: string,
  besideConfig = false,
): ProxyFlag {
  return { name, type, standard, field, besideConfig, summary }
}

/** A flag that steers the program and is no part of the configuration. */
function own(name: string, type: ProxyFlagType, summary: string, standard = ''): ProxyFlag {
  return { name, type, standard, field: undefined, besideConfig: true, summary }
}
