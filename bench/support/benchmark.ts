import type { EngineName } from '../../src/reactor/reactor.ts'

/** One figure, or one distribution, of one subject. Rows of several subjects compare when `work`,
 *  `metric` and `unit` are equal. */
export type Row = {
  /** What was measured: `portolan nftables`, `kube-proxy v1.36.2 nftables`. */
  readonly subject: string
  /** What it had to do: `10000x10 one endpoint replaced`. */
  readonly work: string
  readonly metric: string
  readonly unit: string
  /** How often the figure of another subject of the same run goes into this one. */
  readonly ratio?: { readonly to: string; readonly value: number }
} & ({ readonly p50: number; readonly p99: number } | { readonly value: number })

/** Mechanisms that can be measured, iptables in each way of writing; IPVS needs a kernel that has it. */
export const benchmarkModes = [
  'nftables',
  'ipvs',
  'iptables',
  'iptables-restore',
  'iptables-legacy',
] as const

/** One of them. */
export type BenchmarkMode = (typeof benchmarkModes)[number]

/** What the command line asks of a benchmark. */
export interface BenchmarkOptions {
  /** Sizes, in services. */
  readonly services: readonly number[]
  /** Endpoints of each service. */
  readonly endpoints: number
  /** Mechanism that is measured. */
  readonly mode: BenchmarkMode
  /** Repetitions of each single change. */
  readonly changes: number
  /** Repetitions of each connection. */
  readonly rounds: number
  /** Path of a kube-proxy binary; undefined: no peer. */
  readonly peer: string | undefined
  /** Credentials of the API server that the peer watches. */
  readonly kubeconfig: string | undefined
  /** File of rules of the original that were recorded; undefined: none. */
  readonly peerRules: string | undefined
  /** Seconds of each load of a server, and how often all are measured. */
  readonly seconds: number
  readonly repeat: number
  /** Path of a CoreDNS binary; undefined: none. */
  readonly coredns: string | undefined
  /** Engine of the reactor that is measured; undefined: each that works here. */
  readonly engine: EngineName | undefined
  /** Only works of this name; undefined: all. */
  readonly only: string | undefined
}

/** A benchmark: prints nothing, gives rows. */
export interface Benchmark {
  readonly name: string
  readonly summary: string
  /** `print` takes lines about what is going on; they are no results. */
  run(
    options: BenchmarkOptions,
    print: (line: string) => void,
    signal: AbortSignal,
  ): Promise<readonly Row[]>
}
