import type { Family } from '../../net/address.ts'

/** Where the addresses stand in the network header, in 32-bit words: RFC 791 and RFC 8200 section 3. */
const words: Readonly<Record<Family, { source: number; destination: number; count: number }>> = {
  4: { source: 12, destination: 16, count: 1 },
  6: { source: 8, destination: 24, count: 4 },
}

/** Classic BPF instructions of linux/bpf_common.h: BPF_LD|BPF_W|BPF_ABS, BPF_MISC|BPF_TAX,
 *  BPF_JMP|BPF_JEQ|BPF_X, BPF_RET|BPF_K. */
const code = { load: 32, keep: 7, equal: 29, end: 6 } as const

/** A program that holds for packets whose source is their destination: after DNAT, those of a pod that
 *  reaches itself. One rule with it stands for one per endpoint. Word by word: load the source's, keep it,
 *  load the destination's, leave with 0 when they differ. */
export function sameAddressProgram(family: Family): string {
  const { source, destination, count } = words[family]
  const refuseAt = 4 * count + 1
  const lines: string[] = []
  for (let word = 0; word < count; word++) {
    const compareAt = 4 * word + 3
    lines.push(
      `${code.load} 0 0 ${source + 4 * word}`,
      `${code.keep} 0 0 0`,
      `${code.load} 0 0 ${destination + 4 * word}`,
      `${code.equal} 0 ${refuseAt - compareAt - 1} 0`,
    )
  }
  lines.push(`${code.end} 0 0 65535`, `${code.end} 0 0 0`)
  return [lines.length, ...lines].join(',')
}
