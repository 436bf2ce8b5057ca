import { familyOf } from '../../net/address.ts'
import type { SocketAddress } from '../../reactor/socket-address.ts'
import type { Backend } from '../plan/plan.ts'
import type { RelayOptions } from './relay-options.ts'
import type { RelayTarget } from './relay-table.ts'

/** The address from which a relay goes to an endpoint in the name of its client, with any port; undefined: from
 *  the node's. A client that is its own endpoint would take the answer for one of its own. */
export function keptClient(
  { source }: RelayOptions,
  { keepsClient = false }: RelayTarget,
  client: string,
  backend: Backend,
): SocketAddress | undefined {
  if (source === 'node' || !keepsClient || client === backend.address) return undefined
  return familyOf(client) === familyOf(backend.address) ? { address: client, port: 0 } : undefined
}
