/** A small rule set in the form of `nft -j list ruleset`: one table `t`, whose chains are given as
 *  lists of rules, and whose sets and maps are given as they are. */
export function nftJsonRuleset({
  family = 'ip',
  chains,
  objects = [],
}: {
  readonly family?: string
  readonly chains: Readonly<Record<string, ChainText>>
  readonly objects?: readonly Record<string, unknown>[]
}): unknown {
  const names = Object.entries(chains)
  return {
    nftables: [
      { metainfo: { version: '1.0.6', release_name: 'x', json_schema_version: 1 } },
      { table: { family, name: 't', handle: 1 } },
      ...names.map(([name, { base }]) => ({ chain: { family, table: 't', name, ...base } })),
      ...objects,
      ...names.flatMap(([chain, { rules }]) =>
        rules.map((expr) => ({ rule: { family, table: 't', chain, handle: 2, expr } })),
      ),
    ],
  }
}

/** A chain of `nftJsonRuleset`; with `base` it stands at a hook. */
export interface ChainText {
  readonly base?:
    | undefined
    | {
        readonly type: 'filter' | 'nat'
        readonly hook: string
        readonly prio: number
        readonly policy: 'accept' | 'drop'
      }
  readonly rules: readonly (readonly unknown[])[]
}

/** `ip daddr . meta l4proto . th dport`, as nft writes it. */
export const destinationKey = {
  concat: [
    { payload: { protocol: 'ip', field: 'daddr' } },
    { meta: { key: 'l4proto' } },
    { payload: { protocol: 'th', field: 'dport' } },
  ],
}

/** `meta mark set mark or 0x4000`. */
export const markStatement = {
  mangle: { key: { meta: { key: 'mark' } }, value: { '|': [{ meta: { key: 'mark' } }, 0x4000] } },
}

/** The base chain of kube-proxy that masquerades what bears the mark. */
export const markedMasquerade: ChainText = {
  base: { type: 'nat', hook: 'postrouting', prio: 100, policy: 'accept' },
  rules: [
    [
      { match: { op: '!=', left: { '&': [{ meta: { key: 'mark' } }, 0x4000] }, right: 0 } },
      { masquerade: null },
    ],
  ],
}
