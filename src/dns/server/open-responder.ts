import { FrontMemo } from '../answer/front-memo.ts'
import { NameStamps } from '../answer/name-stamps.ts'
import { type AnswerObserver, PacketResponder } from '../answer/packet-responder.ts'
import type { DnsListener } from '../plugins/build-servers.ts'
import type { ClusterNames } from '../zone/cluster-names.ts'

/** Bytes of encoded answers that one listener keeps; two generations of this size. */
const memoBytes = 16 << 20

/** What a responder is told beside its listener. */
export interface ResponderParts {
  /** Names that answers of the listener depend on. */
  readonly names: readonly ClusterNames[]
  readonly observer: AnswerObserver
  /** From 0 up to, but not, 1. */
  readonly random: () => number
  /** Milliseconds of the clock that the chain goes by. */
  readonly nowMs: () => number
}

/** Makes what turns query bytes into answer bytes for a listener: what it repeats is forgotten when a name
 *  changes that it depends on. */
export function openResponder(
  { respond }: DnsListener,
  { names, observer, random, nowMs }: ResponderParts,
): PacketResponder {
  const stamps = new NameStamps()
  for (const each of names) each.subscribe((changed) => stamps.change(changed))
  return new PacketResponder({
    respond,
    memo: new FrontMemo({ maxBytes: memoBytes, stamps, random }),
    recorder: { recordUses: (run) => recordAll(names, run) },
    observer,
    nowMs,
    timerMs: () => performance.now(),
    hashSeed: Math.floor(random() * 2 ** 32),
  })
}

/** A query may look at several clusters: what it used of each counts. */
function recordAll<T>(
  names: readonly ClusterNames[],
  run: () => T,
): { readonly result: T; readonly uses: ReadonlySet<string> } {
  const [first, ...rest] = names
  if (first === undefined) return { result: run(), uses: new Set() }
  if (names.length === 1) return first.recordUses(run)
  const { result: inner, uses } = first.recordUses(() => recordAll(rest, run))
  return { result: inner.result, uses: new Set([...uses, ...inner.uses]) }
}
