import { execFileSync } from 'node:child_process'
import type { BenchmarkMode } from '../support/benchmark.ts'
import { type ClusterSize, clusterAddress } from '../support/generate-cluster.ts'
import { openMeasured } from '../support/open-measured.ts'
import { ProxyUnderTest } from '../sync/proxy-under-test.ts'
import type { Destination } from './lane.ts'
import { linearLayout } from './linear-layout.ts'
import type { PeerRules } from './peer-rules.ts'

/** Rules to be measured. */
export interface LaneSubject {
  readonly subject: string
  /** What was loaded: `10000x10`. */
  readonly size: string
  /** Services in the order of their rules. */
  readonly destinations: readonly Destination[]
  /** Ports that the server must listen on. */
  readonly ports: ReadonlySet<number>
  /** Loads the rules into the network namespace of this thread. */
  readonly load: () => Promise<void> | void
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
    },
  }
}

/** The same cluster in one chain, as kube-proxy's iptables mode has it. */
export function linearSubject(size: ClusterSize): LaneSubject {
  return {
    subject: 'linear iptables layout',
    ...generated(size),
    load: () => {
      const input = [...linearLayout(size)].join('')
      execFileSync('iptables-nft-restore', ['--noflush'], {
        input,
        stdio: ['pipe', 'ignore', 'pipe'],
      })
    },
  }
}

/** No rules: the same addresses, which the server has itself. */
export function bareSubject(size: ClusterSize): LaneSubject {
  return { subject: 'no rules', ...generated(size), load: () => {} }
}

/** Recorded rules of the original. */
export function peerSubject(rules: PeerRules): LaneSubject {
  const [program, ...args] = rules.loader
  return {
    subject: 'recorded peer',
    size: String(rules.destinations.length),
    destinations: rules.destinations,
    ports: rules.ports,
    load: () => {
      execFileSync(program, args, { input: rules.input, stdio: ['pipe', 'ignore', 'pipe'] })
    },
  }
}

function generated({
  services,
  endpoints,
}: ClusterSize): Pick<LaneSubject, 'size' | 'destinations' | 'ports'> {
  const indexes = Array.from({ length: services }, (_, index) => index)
  return {
    size: `${services}x${endpoints}`,
    destinations: indexes.map((index) => ({ address: clusterAddress(index), port: 80 })),
    ports: generatedPorts,
  }
}
