import {
  checkAddress,
  checkBindAddress,
  checkNodePortAddress,
  checkPortRange,
  checkPrefix,
  checkVersion,
} from './field-checks.ts'
import {
  type DecodedFields,
  decimal,
  duration,
  type FieldDecoder,
  flag,
  flagMap,
  integer,
  listOf,
  oneOf,
  section,
  text,
  textList,
} from './field-decoders.ts'

/** 2^31 - 1, the limit of the original's int32 fields. */
const int32Max = 2_147_483_647

/** logging.*: component-base logs/api/v1 LoggingConfiguration. */
const logging = {
  format: oneOf('text', ['text', 'json']),
  flushFrequency: flushFrequency(),
  verbosity: integer(0, 0, int32Max),
  vmodule: listOf(section({ filePattern: text(''), verbosity: integer(0, 0, int32Max) })),
  options: section({
    text: section({ splitStream: flag(false), infoBufferSize: quantity() }),
    json: section({ splitStream: flag(false), infoBufferSize: quantity() }),
  }),
}

/** clientConnection.*: component-base config/v1alpha1 ClientConnectionConfiguration. */
const clientConnection = {
  kubeconfig: text(''),
  acceptContentTypes: text(''),
  contentType: text('application/vnd.kubernetes.protobuf'),
  qps: decimal(5),
  burst: integer(10, 0, int32Max),
}

const iptables = {
  masqueradeBit: integer(undefined, 0, 31),
  masqueradeAll: flag(false),
  localhostNodePorts: flag(true),
  snatNodeInternalIP: flag(false),
  syncPeriod: duration(undefined, 'zero'),
  minSyncPeriod: duration(undefined, 'zero'),
}

const ipvs = {
  syncPeriod: duration(undefined, 'zero'),
  minSyncPeriod: duration(undefined, 'zero'),
  scheduler: text(''),
  excludeCIDRs: textList(checkPrefix),
  strictARP: flag(false),
  tcpTimeout: duration(0, 'zero'),
  tcpFinTimeout: duration(0, 'zero'),
  udpTimeout: duration(0, 'zero'),
}

const nftables = {
  masqueradeBit: integer(undefined, 0, 31),
  masqueradeAll: flag(false),
  syncPeriod: duration(undefined, 'zero'),
  minSyncPeriod: duration(undefined, 'zero'),
}

const winkernel = {
  networkName: text(''),
  sourceVip: text(''),
  enableDSR: flag(false),
  rootHnsEndpointName: text(''),
  forwardHealthCheckVip: flag(false),
}

const conntrack = {
  maxPerCore: integer(32_768, 0, int32Max),
  min: integer(131_072, 0, int32Max),
  tcpEstablishedTimeout: duration(86_400_000, 'zero'),
  tcpCloseWaitTimeout: duration(3_600_000, 'zero'),
  tcpBeLiberal: flag(false),
  udpTimeout: duration(0, 'zero'),
  udpStreamTimeout: duration(0, 'zero'),
}

/** All fields of KubeProxyConfiguration, kubeproxy.config.k8s.io/v1alpha1, as of Kubernetes 1.36, with
 *  their defaults; source: staging/src/k8s.io/kube-proxy/config/v1alpha1/types.go. Durations are
 *  milliseconds. `undefined` where "not set" differs from every value. */
const fields = {
  apiVersion: oneOf('kubeproxy.config.k8s.io/v1alpha1', ['kubeproxy.config.k8s.io/v1alpha1']),
  kind: oneOf('KubeProxyConfiguration', ['KubeProxyConfiguration']),
  featureGates: flagMap,
  clientConnection: section(clientConnection),
  logging: section(logging),
  hostnameOverride: text(''),
  bindAddress: text('0.0.0.0', checkAddress),
  healthzBindAddress: text(undefined, checkBindAddress),
  metricsBindAddress: text(undefined, checkBindAddress),
  bindAddressHardFail: flag(false),
  enableProfiling: flag(false),
  showHiddenMetricsForVersion: text('', checkVersion),
  mode: oneOf('', ['', 'nftables', 'iptables', 'ipvs', 'userspace', 'portable']),
  iptables: section(iptables),
  ipvs: section(ipvs),
  nftables: section(nftables),
  winkernel: section(winkernel),
  detectLocalMode: oneOf('', [
    '',
    'ClusterCIDR',
    'NodeCIDR',
    'BridgeInterface',
    'InterfaceNamePrefix',
  ]),
  detectLocal: section({ bridgeInterface: text(''), interfaceNamePrefix: text('') }),
  clusterCIDR: text(''),
  nodePortAddresses: textList(checkNodePortAddress),
  oomScoreAdj: integer(-999, -1_000, 1_000),
  conntrack: section(conntrack),
  configSyncPeriod: duration(900_000, 'zero'),
  portRange: text('', checkPortRange),
  windowsRunAsService: flag(false),
}

/** A decoded KubeProxyConfiguration; durations are milliseconds. */
export type ProxyConfiguration = DecodedFields<typeof fields>

/** The decoder of the whole document, without the rules between fields. */
export const proxyConfigurationFields: FieldDecoder<ProxyConfiguration> = section(fields)

/** Every field at its default. */
export const defaultProxyConfiguration: ProxyConfiguration = proxyConfigurationFields.absent

/** The original accepts nanoseconds as a number, or a duration. Nothing is flushed late here. */
function flushFrequency(): FieldDecoder<number> {
  const textual = duration(5_000, 'zero')
  return {
    absent: textual.absent,
    decode: (value, place) =>
      typeof value === 'number' && value >= 0 ? value / 1e6 : textual.decode(value, place),
  }
}

/** A resource.Quantity (`0`, `512`, `64Ki`), kept as text: no buffer of ours has this size. */
function quantity(): FieldDecoder<string> {
  const textual = text('0', (value) =>
    /^\d+(\.\d+)?([kMGTPE]|[KMGTPE]i|m)?$/.test(value) ? undefined : 'a quantity such as "64Ki"',
  )
  return {
    absent: textual.absent,
    decode: (value, place) =>
      textual.decode(typeof value === 'number' ? String(value) : value, place),
  }
}
