import type { Registers } from './machine-registers.ts'
import type { Scene, Thread } from './machine-thread.ts'

/** A rule while it runs. */
export interface RuleRun {
  readonly scene: Scene
  readonly registers: Registers
  thread: Thread
}

/** What an expression leads to. `break`: the rule ends and the next one runs (NFT_BREAK). */
export type Step =
  | { readonly kind: 'continue' }
  | { readonly kind: 'break' }
  | { readonly kind: 'reject' | 'masquerade' }
  /** `code`: NF_DROP 0, NF_ACCEPT 1 or a negative number of enum nft_verdicts. */
  | { readonly kind: 'verdict'; readonly code: number; readonly chain?: string }
  | { readonly kind: 'dnat'; readonly address: string; readonly port: number }
  /** Each of `count` values from `offset` on is equally likely. */
  | {
      readonly kind: 'choice'
      readonly register: number | undefined
      readonly count: number
      readonly offset: number
    }

/** A verdict from the wire, where its code is unsigned, or from an element. */
export function verdictStep(verdict: { readonly code?: number; readonly chain?: string }): Step {
  if (verdict.code === undefined) throw new Error('the verdict has no code')
  const { chain } = verdict
  const code = verdict.code | 0
  return { kind: 'verdict', code, ...(chain === undefined ? {} : { chain }) }
}
