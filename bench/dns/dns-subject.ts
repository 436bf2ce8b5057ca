import { type ChildProcess, spawn } from 'node:child_process'
import { findBinary } from '../../scripts/support/find-binary.ts'
import { resolverRecords, zoneRecords } from './bench-names.ts'
import type { DnsBed } from './dns-bed.ts'

/** A name server that is measured. */
export interface DnsSubject {
  readonly name: string
  /** Works that it can do: an authoritative server forwards nothing, a resolver knows no cluster. */
  readonly does: readonly ('cluster' | 'upstream')[]
  /** Starts it for one worker on 127.0.0.1; it is killed by the bed. */
  start(bed: DnsBed, port: number, services: number): ChildProcess
}

/** The name of our rows. */
export const ours = 'portolan dns'

/** Ours, and those of the others that are installed: `portolan`, CoreDNS by its path, Knot, unbound. */
export function dnsSubjects(corednsPath: string | undefined): readonly DnsSubject[] {
  const found = [corednsPath === undefined ? undefined : coredns(corednsPath), knot(), unbound()]
  return [portolan, ...found.filter((subject) => subject !== undefined)]
}

const portolan: DnsSubject = {
  name: ours,
  does: ['cluster', 'upstream'],
  start(bed, port, services) {
    const corefile = bed.write(`Corefile-${services}`, corefileOf(bed, port, ''))
    const words = ['dns', '--conf', corefile, '--manifests', bed.manifests(services)]
    return spawn(process.execPath, [bed.command, ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
  },
}

/** Ours, watching an API server. */
export function startWithApi(bed: DnsBed, port: number, url: string): ChildProcess {
  const access = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'bench', cluster: { server: url } }],
    users: [{ name: 'bench', user: {} }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    'current-context': 'bench',
  }
  const kubeconfig = bed.write('kubeconfig', JSON.stringify(access))
  const corefile = bed.write('Corefile-api', corefileOf(bed, port, ''))
  const words = ['dns', '--conf', corefile, '--kubeconfig', kubeconfig]
  return spawn(process.execPath, [bed.command, ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
}

function coredns(path: string): DnsSubject {
  return {
    name: 'coredns',
    does: ['upstream'],
    start(bed, port) {
      const corefile = bed.write('Corefile-peer', corefileOf(bed, port, undefined))
      return spawn(path, ['-conf', corefile], { stdio: ['ignore', 'ignore', 'pipe'] })
    },
  }
}

/** `kubernetes`: options of the directive; undefined: none, for a peer without an API server. */
function corefileOf(bed: DnsBed, port: number, kubernetes: string | undefined): string {
  const cluster =
    kubernetes === undefined
      ? ''
      : `  kubernetes cluster.local in-addr.arpa ip6.arpa ${kubernetes}\n`
  return `.:${port} {
  bind 127.0.0.1
${cluster}  forward . 127.0.0.1:${bed.upstreamPort}
  cache 3600
}
`
}

/** Authoritative, one UDP worker, with the cluster's names as a zone file. */
function knot(): DnsSubject | undefined {
  const path = findBinary('knotd')
  if (path === undefined) return undefined
  return {
    name: 'knot, 1 worker',
    does: ['cluster'],
    start(bed, port, services) {
      const zone = bed.write(`cluster-${services}.zone`, zoneRecords(services))
      const configuration = bed.write(
        `knot-${services}.conf`,
        `server:
  rundir: ${bed.folder}
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: ${bed.folder}
zone:
  - domain: cluster.local
    file: ${zone}
    zonefile-sync: -1
    journal-content: none
`,
      )
      return spawn(path, ['-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] })
    },
  }
}

/** A caching resolver, one thread, that forwards to the same upstream. */
function unbound(): DnsSubject | undefined {
  const path = findBinary('unbound')
  if (path === undefined) return undefined
  return {
    name: 'unbound, 1 thread',
    does: ['upstream'],
    start(bed, port) {
      const configuration = bed.write(
        'unbound.conf',
        `server:
  interface: 127.0.0.1@${port}
  do-daemonize: no
  use-syslog: no
  chroot: ""
  username: ""
  pidfile: "${bed.folder}/unbound.pid"
  directory: "${bed.folder}"
  num-threads: 1
  do-not-query-localhost: no
  module-config: "iterator"
  access-control: 127.0.0.0/8 allow
${resolverRecords}
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@${bed.upstreamPort}
`,
      )
      return spawn(path, ['-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] })
    },
  }
}
