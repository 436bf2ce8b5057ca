import type { Rule } from '../../netlink/nftables/objects.ts'
import { MachineError } from './machine-error.ts'
import { type RuleEnd, runRule } from './machine-rule.ts'
import { type Scene, type Thread, tablePlace, withEntry } from './machine-thread.ts'

/** What a base chain decided. */
export type ChainEnd =
  | { readonly kind: 'accept' | 'drop' | 'reject' | 'masquerade' }
  | { readonly kind: 'dnat'; readonly address: string; readonly port: number }

/** Receives every distinct end of a chain, with its probability. */
export type ChainSink = (end: ChainEnd, thread: Thread, share: number) => void

/** NFT_JUMP_STACK_SIZE: a chain at this depth of jumps and gotos is refused by the kernel. */
const jumpLimit = 16

/** Runs a base chain. The policy is accept, as of all chains of ours. */
export function runChain(scene: Scene, chain: string, thread: Thread, sink: ChainSink): void {
  const trail = withEntry(thread.trail, `${tablePlace(scene.table.view)} chain ${chain}`)
  walk(scene, { chain, index: 0, level: 0, caller: undefined }, { ...thread, trail }, 1, sink)
}

interface Position {
  readonly chain: string
  readonly index: number
  /** Jumps and gotos that led here. */
  readonly level: number
  /** Where a return leads; undefined: to the policy. */
  readonly caller: Position | undefined
}

function walk(scene: Scene, start: Position, thread: Thread, share: number, sink: ChainSink): void {
  let at: Position | undefined = start
  let now = thread
  while (at !== undefined) {
    const rule: Rule | undefined = rulesOf(scene, at)[at.index]
    if (rule === undefined) {
      at = at.caller
      continue
    }
    const outcomes = runRule(scene, rule, at.index, now)
    const [only] = outcomes
    const step: NextStep | undefined =
      outcomes.length === 1 && only !== undefined ? follow(scene, at, only.end) : undefined
    if (only !== undefined && step !== undefined && 'position' in step) {
      at = step.position
      now = enter(only.end, only.thread)
      continue
    }
    for (const outcome of outcomes) {
      const next = follow(scene, at, outcome.end)
      const then = enter(outcome.end, outcome.thread)
      if ('end' in next) sink(next.end, then, share * outcome.share)
      else if (next.position === undefined) sink({ kind: 'accept' }, then, share * outcome.share)
      else walk(scene, next.position, then, share * outcome.share, sink)
    }
    return
  }
  sink({ kind: 'accept' }, now, share)
}

type NextStep = { readonly position: Position | undefined } | { readonly end: ChainEnd }

/** enum nft_verdicts and the NF_* verdicts of linux/netfilter.h. */
const verdicts = {
  drop: 0,
  accept: 1,
  continue: -1,
  break: -2,
  jump: -3,
  goto: -4,
  return: -5,
} as const

function follow(scene: Scene, at: Position, end: RuleEnd): NextStep {
  const next = { ...at, index: at.index + 1 }
  if (end.kind === 'next') return { position: next }
  if (end.kind !== 'verdict') return { end }
  switch (end.code) {
    case verdicts.drop:
      return { end: { kind: 'drop' } }
    case verdicts.accept:
      return { end: { kind: 'accept' } }
    case verdicts.continue:
    case verdicts.break:
      return { position: next }
    case verdicts.return:
      return { position: at.caller }
    case verdicts.jump:
      return { position: into(scene, at, end.chain, next) }
    case verdicts.goto:
      return { position: into(scene, at, end.chain, at.caller) }
    default:
      throw new MachineError(placeOf(scene, at), `the machine does not know verdict ${end.code}`)
  }
}

function into(
  scene: Scene,
  at: Position,
  chain: string | undefined,
  caller: Position | undefined,
): Position {
  if (chain === undefined || !scene.table.rules.has(chain)) {
    throw new MachineError(placeOf(scene, at), `there is no chain ${chain}`)
  }
  if (at.level + 1 >= jumpLimit) {
    throw new MachineError(
      placeOf(scene, at),
      `chain ${chain} is ${jumpLimit} jumps deep; too many`,
    )
  }
  return { chain, index: 0, level: at.level + 1, caller }
}

function enter(end: RuleEnd, thread: Thread): Thread {
  if (end.kind !== 'verdict' || end.chain === undefined) return thread
  return { ...thread, trail: withEntry(thread.trail, `chain ${end.chain}`) }
}

function rulesOf(scene: Scene, at: Position): readonly Rule[] {
  return scene.table.rules.get(at.chain) ?? []
}

function placeOf(scene: Scene, at: Position): string {
  return `${tablePlace(scene.table.view)}, chain ${at.chain}, rule ${at.index + 1}`
}
