import type { Next, Plugin } from '../chain/plugin.ts'
import { failure } from '../chain/reply.ts'
import type { DnsName } from '../wire/name.ts'
import { rcodes } from '../wire/numbers.ts'

/** The plugins of one server block and the zones that it is asked for. */
export interface Chain {
  /** Lower case. */
  readonly zones: readonly DnsName[]
  /** In the order in which they are asked. */
  readonly plugins: readonly Plugin[]
}

/** One function that asks the plugins, each with the rest of them. Behind the last is SERVFAIL. */
export function composeChain(plugins: readonly Plugin[]): Next {
  const end: Next = () => failure(rcodes.SERVFAIL, 'no plugin answers for this name')
  return plugins.reduceRight<Next>((next, plugin) => (request) => plugin.serve(request, next), end)
}
