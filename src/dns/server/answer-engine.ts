import type { MetricObject } from 'prom-client'
import type { Corefile } from '../corefile/check-corefile.ts'
import type { PluginNote } from './explain-listener.ts'

/** Answers queries by a Corefile, in this thread or in several: what `serveDns` starts, reloads and ends. */
export interface AnswerEngine {
  /** Puts a Corefile into force and gives the labels of its listeners. The next one follows without a lost
   *  query. Rejects when something that it names cannot be had; then the one before it stays. */
  take(corefile: Corefile): Promise<readonly string[]>
  /** Rejects when the Corefile in force cannot go on; never resolves. */
  readonly failed: Promise<never>
  /** What is counted, beside the metrics of the process. */
  metrics(): Promise<MetricsJson>
  /** Plugins that cannot answer yet; none: it is ready. */
  waiting(): Promise<readonly string[]>
  /** What each thread would answer, and why: each has a cache of its own. */
  explain(query: ExplainQuery): Promise<readonly Explanation[]>
  /** Ends everything; resolves when nothing is answered any more. */
  close(): Promise<void>
}

/** Metrics as plain data, as prom-client gives and adds them. */
export type MetricsJson = readonly MetricObject[]

/** A question about a question. */
export interface ExplainQuery {
  readonly name: string
  readonly type: number
  /** Canonical address of the client. */
  readonly client: string
  readonly transport: 'udp' | 'tcp'
  /** Port of the listener; undefined: the first one. */
  readonly port: number | undefined
}

/** Why a thread answers as it does. */
export interface Explanation {
  /** See `DnsListener.label`. */
  readonly listener: string
  readonly notes: readonly PluginNote[]
  /** Encoded; undefined: it says nothing. */
  readonly answer: Uint8Array | undefined
}
