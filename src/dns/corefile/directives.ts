import type { BlockContext } from './block-context.ts'
import { decodeAcl } from './decode-acl.ts'
import { decodeAutopath } from './decode-autopath.ts'
import { decodeBind } from './decode-bind.ts'
import { decodeCache } from './decode-cache.ts'
import { decodeDns64 } from './decode-dns64.ts'
import { decodeErrors } from './decode-errors.ts'
import { decodeFile } from './decode-file.ts'
import { decodeForward } from './decode-forward.ts'
import { decodeHeader } from './decode-header.ts'
import { decodeHealth, decodePrometheus, decodeReady } from './decode-health.ts'
import { decodeHosts } from './decode-hosts.ts'
import { decodeKubernetes } from './decode-kubernetes.ts'
import { decodeLoadbalance } from './decode-loadbalance.ts'
import { decodeLog } from './decode-log.ts'
import { decodeReload } from './decode-reload.ts'
import { decodeRewrite } from './decode-rewrite.ts'
import {
  decodeBufsize,
  decodeNsid,
  decodeRoot,
  decodeSwitch,
  decodeTimeouts,
} from './decode-small.ts'
import { decodeTemplate } from './decode-template.ts'
import { decodeTls } from './decode-tls.ts'
import { decodeTransfer } from './decode-transfer.ts'
import type { Entry } from './parse-corefile.ts'

/** Every directive and its decoder, in the order of CoreDNS 1.13's chain (core/dnsserver/zdirectives.go).
 *  Plugins run in this order, not in that of the Corefile. */
export const directives = {
  root: decodeRoot,
  tls: decodeTls,
  timeouts: decodeTimeouts,
  reload: decodeReload,
  nsid: decodeNsid,
  bufsize: decodeBufsize,
  bind: decodeBind,
  debug: decodeSwitch,
  ready: decodeReady,
  health: decodeHealth,
  prometheus: decodePrometheus,
  errors: decodeErrors,
  log: decodeLog,
  local: decodeSwitch,
  dns64: decodeDns64,
  acl: decodeAcl,
  any: decodeSwitch,
  loadbalance: decodeLoadbalance,
  cache: decodeCache,
  rewrite: decodeRewrite,
  header: decodeHeader,
  autopath: decodeAutopath,
  minimal: decodeSwitch,
  template: decodeTemplate,
  transfer: decodeTransfer,
  hosts: decodeHosts,
  kubernetes: decodeKubernetes,
  file: decodeFile,
  loop: decodeSwitch,
  forward: decodeForward,
  whoami: decodeSwitch,
} as const satisfies Readonly<Record<string, (entry: Entry, context: BlockContext) => unknown>>

/** A directive that this server knows. */
export type DirectiveName = keyof typeof directives

/** What a directive's decoder gives. */
export type DirectiveSettings<Name extends DirectiveName> = ReturnType<(typeof directives)[Name]>

/** Directives that may stand more than once in a block; each time counts. */
export const repeatable: ReadonlySet<DirectiveName> = new Set([
  'acl',
  'bind',
  'file',
  'forward',
  'log',
  'rewrite',
  'template',
  'transfer',
])

/** Directives of CoreDNS that this server does not have, with the reason or what to do. */
export const foreignDirectives: Readonly<Record<string, string>> = {
  auto: 'list the zone files with "file"',
  azure: 'cloud zones are not read',
  cancel: 'queries end by themselves',
  chaos: 'the server does not tell its version',
  clouddns: 'cloud zones are not read',
  dnssec: 'answers are not signed',
  dnstap: 'use "log"',
  erratic: 'faults are not made up',
  etcd: 'zones are not read from etcd',
  geoip: 'clients are not located',
  grpc: 'DNS over gRPC is not spoken, use "forward"',
  k8s_external: 'external addresses have no zone of their own',
  metadata: 'plugins share no metadata',
  multisocket: 'the number of threads is an option of the command, --workers',
  nomad: 'Nomad is not read',
  pprof: 'use the inspector of Node',
  quic: 'DNS over QUIC is not spoken',
  route53: 'cloud zones are not read',
  secondary: 'zones are not transferred in, use "file"',
  sign: 'zones are not signed',
  trace: 'use "portolan dns explain"',
  tsig: 'transactions are not signed',
  view: 'blocks are chosen by zone and listener only',
}
