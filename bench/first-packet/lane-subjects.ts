import { execFileSync } from 'node:child_process'
import type { BenchmarkMode } from '../support/benchmark.ts'
import { type ClusterSize, clusterAddress } from '../support/generate-cluster.ts'
import { openMeasured } from '../support/open-measured.ts'
import { peerModeOf, peerSubjectName } from '../sync/peer-messages.ts'
import { PeerProcess } from '../sync/peer-process.ts'
import { ProxyUnderTest } from '../sync/proxy-under-test.ts'
import type { PeerFiles } from '../sync/with-peer-cluster.ts'
import type { Destination } from './lane.ts'
import { linearLayout } from './linear-layout.ts'
import { type PeerRules, parsePeerRules } from './peer-rules.ts'

/** Rules to be measured. */
export interface LaneSubject {
  readonly subject: string
  /** What was loaded: `10000x10`. */
  readonly size: string
  /** Ports that the server must listen on. */
  readonly ports: ReadonlySet<number>
  /** Loads the rules into the network namespace of this thread. Gives the services in the order of the rules. */
  readonly load: () => Promise<readonly Destination[]>
  /** Ends what keeps the rules. */
  readonly close?: () => void
}

const generatedPorts: ReadonlySet<number> = new Set([80, 8080])

/** Our own rules for a generated cluster, by the daemon's own parts. */
export function ownSubject(mode: BenchmarkMode, size: ClusterSize): LaneSubject {
  return {
    subject: `portolan ${mode}`,
    ...generated(size),
    load: async () => {
      const proxy = new ProxyUnderTest(await openMeasured(mode))
      proxy.load(size)
      await proxy.start()
      await proxy.close()
      return destinationsOf(size)
    },
  }
}

/** The same cluster in one chain, as kube-proxy's iptables mode has it. */
export function linearSubject(size: ClusterSize): LaneSubject {
  return {
    subject: 'linear iptables layout',
    ...generated(size),
    load: async () => {
      const input = [...linearLayout(size)].join('')
      execFileSync('iptables-nft-restore', ['--noflush'], {
        input,
        stdio: ['pipe', 'ignore', 'pipe'],
      })
      return destinationsOf(size)
    },
  }
}

/** No rules: the same addresses, which the server has itself. */
export function bareSubject(size: ClusterSize): LaneSubject {
  return { subject: 'no rules', ...generated(size), load: async () => destinationsOf(size) }
}

/** Recorded rules of the original. */
export function recordedSubject(rules: PeerRules): LaneSubject {
  const [program, ...args] = rules.loader
  return {
    subject: 'recorded peer',
    size: String(rules.destinations.length),
    ports: rules.ports,
    load: async () => {
      execFileSync(program, args, { input: rules.input, stdio: ['pipe', 'ignore', 'pipe'] })
      return rules.destinations
    },
  }
}

/** A kube-proxy that runs beside the rules as long as they are measured. */
export function peerSubject(
  mode: BenchmarkMode,
  size: ClusterSize,
  peer: { readonly binary: string } & PeerFiles,
): LaneSubject {
  let running: PeerProcess | undefined
  return {
    subject: peerSubjectName(peer.binary, mode),
    ...generated(size),
    load: async () => {
      running = new PeerProcess({ ...peer, mode: peerModeOf(mode) }, 'here')
      await running.steady(AbortSignal.timeout(patienceMs))
      const [program, ...words] = listings[peerModeOf(mode)]
      const rules = execFileSync(program, words, { encoding: 'utf8', maxBuffer: longestListing })
      return parsePeerRules(rules, program, size.protocol ?? 'TCP').destinations
    },
    close: () => running?.close(),
  }
}

/** The programs that print what a peer has written. */
const listings = {
  nftables: ['nft', '-j', 'list', 'ruleset'],
  iptables: ['iptables-nft-save', '-t', 'nat'],
} as const

/** Rules that are not there by then are not going to be. */
const patienceMs = 600_000
const longestListing = 2 ** 30

function generated({ services, endpoints }: ClusterSize): Pick<LaneSubject, 'size' | 'ports'> {
  return { size: `${services}x${endpoints}`, ports: generatedPorts }
}

function destinationsOf({ services }: ClusterSize): readonly Destination[] {
  return Array.from({ length: services }, (_, index) => {
    return { address: clusterAddress(index), port: 80 }
  })
}
