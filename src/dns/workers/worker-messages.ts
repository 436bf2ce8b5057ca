import type { Kind, Resources } from '../../kube/resources.ts'
import type { Selection } from '../../kube/store.ts'
import type { LogLevel } from '../../observe/logger.ts'
import type { CorefileText } from '../corefile/check-corefile.ts'
import type { ExplainQuery, Explanation, MetricsJson } from '../server/answer-engine.ts'

/** What a worker is started with. */
export interface WorkerSetup {
  readonly logLevel: LogLevel
  /** See `UpstreamInputs.randomizesCase`. */
  readonly randomizesCase: boolean
}

/** What a worker does when the main thread calls: the part of `AnswerEngine` that can be sent. */
export interface WorkerCalls {
  take(corefile: CorefileText): Promise<readonly string[]>
  metrics(nothing: undefined): Promise<MetricsJson>
  waiting(nothing: undefined): Promise<readonly string[]>
  explain(query: ExplainQuery): Promise<readonly Explanation[]>
}

/** A call of `WorkerCalls`, answered under its number. */
export type CallMessage = {
  readonly [Name in keyof WorkerCalls]: {
    readonly kind: 'call'
    readonly call: number
    readonly name: Name
    readonly argument: Parameters<WorkerCalls[Name]>[0]
  }
}[keyof WorkerCalls]

/** What the main thread sends. */
export type ToWorker =
  | CallMessage
  | { readonly kind: 'objects'; readonly events: readonly NumberedEvent[] }
  | { readonly kind: 'close' }

/** What a worker sends. */
export type FromWorker =
  | { readonly kind: 'returned'; readonly call: number; readonly value: unknown }
  | { readonly kind: 'refused'; readonly call: number; readonly reason: string }
  /** Wants objects, under a number of its own. */
  | {
      readonly kind: 'watch'
      readonly watch: number
      readonly of: Kind
      readonly selection: Selection
    }
  | { readonly kind: 'unwatch'; readonly watch: number }
  /** The Corefile in force cannot go on: see `AnswerEngine.failed`. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** A line of the log, with its end. */
  | { readonly kind: 'log'; readonly line: string }

/** A change of the objects that a worker watches: what `Sink` is told. */
export type ObjectEvent =
  | { readonly kind: 'replace'; readonly objects: readonly Resources[Kind][] }
  | { readonly kind: 'set'; readonly object: Resources[Kind] }
  | { readonly kind: 'delete'; readonly key: string }

/** An event with the number of its watch. */
export interface NumberedEvent {
  readonly watch: number
  readonly event: ObjectEvent
}
