import { addressBytes, writeAddress } from '../../net/address.ts'
import type { Packet } from './packet-walk.ts'

/** A classic BPF instruction: struct sock_filter of linux/filter.h. */
interface Instruction {
  readonly code: number
  readonly jumpTrue: number
  readonly jumpFalse: number
  readonly constant: number
}

/** Parses the text of `-m bpf --bytecode` (`COUNT,CODE JT JF K,...`) into a test of packets, of which the
 *  addresses are known and all other header bytes taken as 0. Undefined: not well formed, or with an
 *  instruction other than load word, load and keep, compare, return. */
export function parseBpf(text: string): ((packet: Packet) => boolean) | undefined {
  const [count, ...lines] = text.split(',')
  const program = lines.map(parseInstruction)
  if (Number(count) !== program.length || program.some((step) => step === undefined)) {
    return undefined
  }
  const steps = program.filter((step) => step !== undefined)
  return (packet) => run(steps, networkHeader(packet)) !== 0
}

const known: ReadonlySet<number> = new Set([6, 7, 21, 29, 32])

function parseInstruction(text: string): Instruction | undefined {
  const [code, jumpTrue, jumpFalse, constant] = text.trim().split(' ').map(Number)
  if (code === undefined || !known.has(code)) return undefined
  if (jumpTrue === undefined || jumpFalse === undefined || constant === undefined) return undefined
  if (Number.isNaN(jumpTrue + jumpFalse + constant)) return undefined
  return { code, jumpTrue, jumpFalse, constant }
}

/** The kernel refuses programs without an end and answers 0 for loads behind the packet. */
function run(program: readonly Instruction[], header: DataView): number {
  let accumulator = 0
  let index = 0
  for (let at = 0; at < program.length; at++) {
    const step = program[at]
    if (step === undefined) return 0
    const { code, constant, jumpTrue, jumpFalse } = step
    if (code === 6) return constant
    if (code === 7) index = accumulator
    else if (code === 32) {
      if (constant + 4 > header.byteLength) return 0
      accumulator = header.getUint32(constant)
    } else at += accumulator === (code === 29 ? index : constant) ? jumpTrue : jumpFalse
  }
  return 0
}

/** IPv4: source at 12, destination at 16; IPv6: 8 and 24. */
function networkHeader({ family, source, destination }: Packet): DataView {
  const header = new Uint8Array(family === 4 ? 20 : 40)
  const at = family === 4 ? 12 : 8
  writeAddress(header, at, source)
  writeAddress(header, at + addressBytes(family), destination)
  return new DataView(header.buffer)
}
