import { cpus, release, totalmem } from 'node:os'
import process from 'node:process'

/** What the figures of a run depend on. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly arch: string
  readonly node: string
}

/** Describes the machine that this process runs on. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    arch: process.arch,
    node: process.versions.node,
  }
}
