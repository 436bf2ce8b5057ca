import type { Family } from '../../net/address.ts'
import type { SetElement } from '../../netlink/nftables/objects.ts'
import {
  addressKey,
  frontendKey,
  nodePortKey,
  sourceRangeElements,
} from '../../ruleset/element-keys.ts'
import type { Action, Frontend, ServicePlan } from '../plan/plan.ts'
import { relayChain } from './table-rules.ts'
import { sourceClasses } from './table-sets.ts'

/** Takes the elements that a service asks for. The same one may come twice. */
export type ElementVisitor = (family: Family, set: string, element: SetElement) => void

/** NFT_GOTO of enum nft_verdicts. */
const gotoCode = -4

/** Compiles one service. An element changes only when a frontend comes or goes, or begins or ceases to be
 *  served: which endpoints there are, only the relays know. */
export function compileService({ frontends }: ServicePlan, visit: ElementVisitor): void {
  for (const frontend of frontends) {
    const { family, address, protocol, port, service, portName, sourceRanges } = frontend
    const comment = portName === '' ? service : `${service}:${portName}`
    const key =
      address === undefined ? nodePortKey(protocol, port) : frontendKey(address, protocol, port)
    for (const source of sourceClasses) {
      const set = `${address === undefined ? 'nodeports' : 'frontends'}-${source}`
      const chain = chainOf(frontend, frontend.actions[source], relayChain(source))
      visit(family, set, { key, verdict: { code: gotoCode, chain }, comment })
    }
    if (address === undefined) continue
    if (frontend.kind === 'cluster-ip') {
      const verdict = { code: gotoCode, chain: 'refuse' }
      visit(family, 'cluster-addresses', { key: addressKey(address), verdict })
    }
    if (sourceRanges === undefined) continue
    visit(family, 'restricted', { key, comment })
    for (const element of sourceRangeElements(key, sourceRanges, comment)) {
      visit(family, 'source-ranges', element)
    }
  }
}

function chainOf({ protocol }: Frontend, action: Action, relay: string): string {
  if (action.kind === 'drop') return 'discard'
  return action.kind === 'reject' || protocol === 'SCTP' ? 'refuse' : relay
}
