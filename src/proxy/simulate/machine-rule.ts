import type { Rule } from '../../netlink/nftables/objects.ts'
import { MachineError } from './machine-error.ts'
import { execute } from './machine-expressions.ts'
import { Registers } from './machine-registers.ts'
import type { RuleRun, Step } from './machine-step.ts'
import { type Scene, type Thread, tablePlace, threadKey } from './machine-thread.ts'

/** How a rule ended: `next` when it ran to its end or something in it did not match. */
export type RuleEnd =
  | Exclude<
      Step,
      { readonly kind: 'continue' } | { readonly kind: 'break' } | { readonly kind: 'choice' }
    >
  | { readonly kind: 'next' }

/** One distinct way through a rule, with its probability. */
export interface RuleOutcome {
  readonly end: RuleEnd
  readonly thread: Thread
  readonly share: number
}

/** Runs a rule and every way that chance may take in it. Ways that nothing later can tell apart are
 *  one outcome; shares add up to 1. Throws MachineError where the kernel would refuse the rule. */
export function runRule(scene: Scene, rule: Rule, index: number, thread: Thread): RuleOutcome[] {
  const outcomes = new Map<string, { end: RuleEnd; thread: Thread; share: number }>()
  const emit = (end: RuleEnd, now: Thread, share: number): void => {
    const key = `${endKey(end)}/${threadKey(now)}`
    const known = outcomes.get(key)
    if (known === undefined) outcomes.set(key, { end, thread: now, share })
    else known.share += share
  }
  const run: RuleRun = { scene, registers: new Registers(), thread }
  runFrom(run, { rule, index, emit }, 0, 1)
  return [...outcomes.values()]
}

interface RuleText {
  readonly rule: Rule
  readonly index: number
  readonly emit: (end: RuleEnd, thread: Thread, share: number) => void
}

function runFrom(run: RuleRun, text: RuleText, start: number, share: number): void {
  const { expressions } = text.rule
  for (let at = start; at < expressions.length; at++) {
    const step = stepAt(run, text, at)
    if (step.kind === 'continue') continue
    if (step.kind === 'choice') {
      choose(run, text, at, share, step)
      return
    }
    text.emit(step.kind === 'break' ? { kind: 'next' } : step, run.thread, share)
    return
  }
  text.emit({ kind: 'next' }, run.thread, share)
}

function choose(
  run: RuleRun,
  text: RuleText,
  at: number,
  share: number,
  choice: Extract<Step, { readonly kind: 'choice' }>,
): void {
  const saved = run.registers.save()
  const { thread } = run
  for (let value = 0; value < choice.count; value++) {
    run.registers.restore(saved)
    run.thread = thread
    run.registers.writeHost(choice.register, choice.offset + value)
    runFrom(run, text, at + 1, share / choice.count)
  }
}

function stepAt(run: RuleRun, text: RuleText, at: number): Step {
  const expression = text.rule.expressions[at]
  if (expression === undefined) return { kind: 'continue' }
  const { scene } = run
  const place = (): string =>
    `${tablePlace(scene.table.view)}, chain ${text.rule.chain}, rule ${text.index + 1}, ` +
    `expression ${at + 1} (${expression.name})`
  if (scene.budget.remaining-- <= 0) {
    throw new MachineError(place(), 'the ways through the program are too many to follow')
  }
  try {
    return execute(expression, run)
  } catch (error) {
    throw new MachineError(place(), error instanceof Error ? error.message : String(error))
  }
}

function endKey(end: RuleEnd): string {
  switch (end.kind) {
    case 'verdict':
      return `verdict ${end.code} ${end.chain ?? ''}`
    case 'dnat':
      return `dnat ${end.address} ${end.port}`
    default:
      return end.kind
  }
}
