import type { ProxiedFlow } from './proxied-flow.ts'

/** What the first bytes of a connection are. */
export type DecodedProxyHeader =
  /** A header of `byteCount` bytes. Without a flow the sender speaks for itself, or does not know for whom. */
  | {
      readonly kind: 'header'
      readonly byteCount: number
      readonly flow: ProxiedFlow | undefined
    }
  /** The beginning of one. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'wrong'; readonly expected: string }
