/** What happens to a flow. Plan, programs and recorded rule sets of other proxies are all asked for it. */
export type Verdict =
  | { readonly kind: 'untouched' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'reject' }
  | {
      readonly kind: 'balance'
      /** `address:port` (`[address]:port` for IPv6) to whether the flow is masqueraded when it goes there. */
      readonly backends: ReadonlyMap<string, boolean>
      /** Affinity timeout in seconds that the flow's client gets; 0: none. */
      readonly affinitySeconds: number
    }

/** A verdict with the names of what led to it, outermost first. */
export interface TracedVerdict {
  readonly verdict: Verdict
  readonly path: readonly string[]
  /** What the mechanism cannot do, where the verdict is another than the plan's for that reason. */
  readonly limit?: string
}

/** `10.1.0.4:80` or `[fd00::4]:80`. */
export function formatBackend(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
