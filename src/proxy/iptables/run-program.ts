import { spawn } from 'node:child_process'
import { delimiter } from 'node:path'
import process from 'node:process'
import type { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Family } from '../../net/address.ts'

/** Runs a program to its end, in the network namespace of this thread. `input` gives the pieces of its standard
 *  input, which are made while it reads; once more when a line of it has to be named. `onStart` is called at once. Returns its standard output. Rejects with one line that has its name, its
 *  exit status and what it said, or which package has it. */
export async function runProgram(
  program: string,
  args: readonly string[],
  input: () => Iterable<string> = () => [],
  onStart: (processId: number) => void = () => {},
): Promise<string> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PATH: searchPath() },
  })
  if (child.pid !== undefined) onStart(child.pid)
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | string>()
  child.on('error', (error) => reject(describeStart(program, error)))
  child.on('close', (code, signal) => resolve(code ?? signal ?? 'nothing'))
  // A program that ends before it has read everything is judged by its status.
  child.stdin.on('error', () => {})
  const [status, output, complaint] = await Promise.all([
    ended,
    text(child.stdout),
    text(child.stderr),
    feed(child.stdin, input(), ended),
  ])
  if (status === 0) return output
  throw new ProgramError(program, status, complaint, input)
}

/** Characters of one write. */
const writeLength = 1 << 16

/** Writes no faster than the program reads, and not to its end when it ends before. */
async function feed(
  stdin: Writable,
  pieces: Iterable<string>,
  ended: Promise<unknown>,
): Promise<void> {
  // A start that failed is told by whoever waits for the status.
  const end = ended.catch(() => {}).then(() => 'ended')
  let waiting = ''
  try {
    for (const piece of pieces) {
      waiting += piece
      if (waiting.length < writeLength) continue
      const hasRoom = stdin.write(waiting)
      waiting = ''
      if (hasRoom) continue
      const drained = new Promise((resolve) => stdin.once('drain', resolve))
      if ((await Promise.race([end, drained])) === 'ended') return
    }
    stdin.end(waiting)
  } catch (error) {
    // The program sees the end of its input before a COMMIT, and ends without one.
    stdin.destroy()
    throw error
  }
}

/** The network tools are in folders that not every login looks into. */
function searchPath(): string {
  return [process.env.PATH ?? '', '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter)
}

/** A program that ended with another status than 0. */
export class ProgramError extends Error {
  readonly code = 'PORTOLAN_PROGRAM'
  readonly status: number | string

  constructor(
    program: string,
    status: number | string,
    complaint: string,
    input: () => Iterable<string>,
  ) {
    super(`${program} ended with ${status}: ${oneLine(complaint)}${namedLine(complaint, input)}`)
    this.name = 'ProgramError'
    this.status = status
  }
}

/** The programs that read and write one variant's rules, by family. */
export interface IptablesPrograms {
  readonly variant: 'nf_tables' | 'legacy'
  readonly save: Readonly<Record<Family, string>>
  readonly restore: Readonly<Record<Family, string>>
}

function describeStart(program: string, error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOENT') return error
  return new Error(missingProgram(program), { cause: error })
}

/** What to say of a program that is not there. */
export function missingProgram(program: string): string {
  return (
    `${program}: no such program on the search path; ` +
    'install the package iptables, or use --proxy-mode nftables, which needs none'
  )
}

function oneLine(textOfLines: string): string {
  return textOfLines.trim().replaceAll(/\s*\n\s*/g, '; ') || 'it said nothing'
}

/** The line of the input that the complaint names by its number. */
function namedLine(complaint: string, input: () => Iterable<string>): string {
  const [, number] = /line:? ([0-9]+)/i.exec(complaint) ?? []
  if (number === undefined) return ''
  let left = Number(number)
  for (const piece of input()) {
    const lines = piece.split('\n')
    if (left < lines.length) return ` (${lines[left - 1]})`
    left -= lines.length - 1
  }
  return ''
}
