import { type Prefix, parsePrefix } from '../../net/prefix.ts'
import { type BlockContext, filePath } from './block-context.ts'
import { refuse } from './corefile-error.ts'
import {
  argumentOf,
  argumentsOf,
  decodeChoice,
  decodeDuration,
  decodeOptions,
} from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import type { Token } from './token.ts'

/** The `loadbalance` directive. */
export interface LoadbalanceSettings {
  /** Undefined: all addresses weigh the same. */
  readonly weights: WeightFile | undefined
  /** Addresses in these networks come first, in this order. */
  readonly prefer: readonly Prefix[]
}

/** A file with the weights of addresses. */
export interface WeightFile {
  readonly path: string
  readonly token: Token
  /** 0: it is read once. */
  readonly reloadMs: number
}

/** Decodes `loadbalance [round_robin | weighted FILE] { ... }`. */
export function decodeLoadbalance(entry: Entry, context: BlockContext): LoadbalanceSettings {
  const [policy, file] = argumentsOf(entry, { min: 0, max: 2 })
  const isWeighted =
    policy !== undefined && decodeChoice(policy, ['round_robin', 'weighted']) === 'weighted'
  if (isWeighted && file === undefined) refuse(policy, 'weighted needs a file with weights')
  if (!isWeighted && file !== undefined) refuse(file, 'round_robin takes no arguments')
  let reloadMs = 30_000
  const prefer: Prefix[] = []
  decodeOptions(entry, {
    ...(isWeighted
      ? {
          reload: (option: Entry) => {
            reloadMs = decodeDuration(argumentOf(option))
          },
        }
      : {}),
    prefer: (option) => {
      prefer.push(...argumentsOf(option, { min: 1 }).map(decodePrefix))
    },
  })
  const weights =
    isWeighted && file !== undefined
      ? { path: filePath(file.text, context), token: file, reloadMs }
      : undefined
  return { weights, prefer }
}

function decodePrefix(token: Token): Prefix {
  const prefix = parsePrefix(token.text)
  if (prefix !== undefined) return prefix
  refuse(token, `got ${JSON.stringify(token.text)}, expected a network like 10.0.0.0/8`)
}
