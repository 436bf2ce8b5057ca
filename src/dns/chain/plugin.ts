import type { ResourceRecord } from '../wire/message.ts'
import type { DnsName } from '../wire/name.ts'
import type { Reply } from './reply.ts'
import type { Request } from './request.ts'

/** One link of the chain that answers a query: made once from its decoded directive, called for every
 *  query in the fixed order of the chain (not of the Corefile). It answers itself, or calls `next` and
 *  passes the reply on, changed or not. Requests and replies are never changed, only replaced. */
export interface Plugin {
  /** The name of its directive: in logs, metrics and traces. */
  readonly name: string
  /** Answers a query. Never throws; a rejected promise is a broken promise of our own code. */
  serve(request: Request, next: Next): Outcome
  /** Works beside the queries (watches files, checks upstreams) until the signal is aborted. */
  run?(signal: AbortSignal): Promise<void>
  /** Whether it can answer; absent when it always can. The `ready` endpoint asks it. */
  isReady?(): boolean
  /** The search path of the client's pod for `autopath @NAME`, each absolute, the last one empty;
   *  undefined when the client is not known or the name is not in the plugin's zones. */
  searchPath?(request: Request): readonly string[] | undefined
  /** All records of a zone that it holds, SOA first and last, for `transfer`; undefined when the zone
   *  is not its own. */
  transfer?(zone: DnsName): Iterable<ResourceRecord> | undefined
}

/** The rest of the chain. The last link's `next` fails with SERVFAIL. */
export type Next = (request: Request) => Outcome

/** What a link gives back: at once when it can, for a promise costs more than a cluster answer. */
export type Outcome = Reply | Promise<Reply>

/** Calls `change` with the reply, now or when it is there. */
export function whenReplied(outcome: Outcome, change: (reply: Reply) => Outcome): Outcome {
  return outcome instanceof Promise ? outcome.then(change) : change(outcome)
}
