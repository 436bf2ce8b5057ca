import { isAbsolute, join } from 'node:path'
import type { DnsName } from '../wire/name.ts'

/** What the decoders of a block's directives need to know of the block. */
export interface BlockContext {
  /** Zones of the block's keys, in order. */
  readonly zones: readonly [DnsName, ...DnsName[]]
  /** The folder of the `root` directive, for relative paths; empty without one. */
  readonly root: string
}

/** The path of a file that a directive names. */
export function filePath(path: string, context: BlockContext): string {
  return isAbsolute(path) || context.root === '' ? path : join(context.root, path)
}
