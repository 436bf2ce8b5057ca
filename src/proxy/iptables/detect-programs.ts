import { readFileSync } from 'node:fs'
import { type IptablesPrograms, missingProgram, runProgram } from './run-program.ts'

type Variant = IptablesPrograms['variant']

const infixes: Readonly<Record<Variant, string>> = { nf_tables: '-nft', legacy: '-legacy' }

/** Finds the iptables variant that the rest of this node uses, because rules in the other one would be
 *  looked for by nobody and could contradict it: the variant with the kubelet's marker chain, else the one
 *  that has more rules, else the one that plain `iptables` is. Rejects when there is none. */
export async function detectPrograms(
  run: Run = runProgram,
  isLegacyUsed: () => boolean = hasLegacyTables,
): Promise<IptablesPrograms> {
  const isUsed = isLegacyUsed()
  const [plain, nft] = await Promise.all([
    versionOf('iptables', run),
    versionOf('iptables-nft-save', run),
  ])
  // What most nodes are: nothing has to be read to decide.
  if (plain === 'nf_tables' && !isUsed && nft === plain) return programs(nft, infixes[nft])
  const found = await Promise.all([look('nf_tables', run), look('legacy', run)])
  const present = found.filter((variant) => variant !== undefined)
  if (present.length === 0) {
    if (plain === undefined) throw new Error(missingProgram('iptables'))
    return programs(plain, '')
  }
  const preferred = present.sort((left, right) => score(right, plain) - score(left, plain))[0]
  return preferred === undefined
    ? programs(plain ?? 'nf_tables', '')
    : programs(preferred.variant, infixes[preferred.variant])
}

/** Runs a program and gives its output; rejects when it fails or does not exist. */
type Run = (program: string, args: readonly string[]) => Promise<string>

/** Whether this network namespace has a table of the legacy variant, in either family; the kernel lists those
 *  that anybody has asked for. Without the kernel's modules there are no such files. */
function hasLegacyTables(): boolean {
  return ['ip_tables_names', 'ip6_tables_names'].some((file) => {
    try {
      // Synchronous: another thread could be in another namespace.
      return readFileSync(`/proc/thread-self/net/${file}`, 'utf8') !== ''
    } catch {
      return false
    }
  })
}

interface Found {
  readonly variant: Variant
  readonly hasMarker: boolean
  readonly ruleCount: number
}

/** The kubelet makes one of these chains in table mangle of the variant that it uses. */
const marker = /^:KUBE-(?:IPTABLES-HINT|KUBELET-CANARY) /m

async function look(variant: Variant, run: Run): Promise<Found | undefined> {
  // Without `-t` the legacy program prints only tables that are in use, and makes none.
  const results = await Promise.all(
    ['iptables', 'ip6tables'].map((name) =>
      run(`${name}${infixes[variant]}-save`, []).catch(() => undefined),
    ),
  )
  const texts = results.filter((result) => result !== undefined)
  if (texts.length === 0) return undefined
  const all = texts.join('\n')
  const ruleCount = all.split('\n-A ').length - 1
  return { variant, hasMarker: marker.test(all), ruleCount }
}

/** Larger is better; a marker outweighs any number of rules, and half a rule decides between equals. */
function score({ variant, hasMarker, ruleCount }: Found, plain: Variant | undefined): number {
  return (hasMarker ? 1e9 : 0) + ruleCount + (variant === plain ? 0.5 : 0)
}

/** `iptables v1.8.9 (nf_tables)`; versions before 1.8 say nothing and are legacy. */
async function versionOf(program: string, run: Run): Promise<Variant | undefined> {
  const output = await run(program, ['--version']).catch(() => undefined)
  if (output === undefined) return undefined
  return output.includes('nf_tables') ? 'nf_tables' : 'legacy'
}

function programs(variant: Variant, infix: string): IptablesPrograms {
  return {
    variant,
    save: { 4: `iptables${infix}-save`, 6: `ip6tables${infix}-save` },
    restore: { 4: `iptables${infix}-restore`, 6: `ip6tables${infix}-restore` },
  }
}
