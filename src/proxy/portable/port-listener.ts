import { ReactorError } from '../../reactor/reactor-error.ts'
import type { SocketAddress } from '../../reactor/socket-address.ts'
import { errnos } from '../../reactor/stream-handler.ts'
import type { RelayTarget } from '../relay/relay-table.ts'
import type { Relays } from '../relay/relays.ts'
import type { ServicePort } from './service-port.ts'
import { wantedPlaces } from './wanted-places.ts'

/** A service port that is being served. */
export interface PortListener {
  readonly place: SocketAddress
  close(): void
}

/** Listens for a service port at the best place that is free. `target` tells where a new flow goes. Rejects with
 *  a ReactorError when no place can be had, or no socket. */
export async function openPortListener(
  relays: Relays,
  port: ServicePort,
  target: () => RelayTarget | undefined,
): Promise<PortListener> {
  let last: unknown
  for (const place of wantedPlaces(port)) {
    try {
      const opened = await openAt(relays, port, place, target)
      return { place, close: () => opened.close() }
    } catch (error) {
      last = error
      if (!(error instanceof ReactorError) || !elsewhere.includes(error.errno)) throw error
    }
  }
  throw last
}

/** Reasons to try the next place: taken, for root only, no such address here. */
const elsewhere: readonly number[] = [
  errnos.EADDRINUSE,
  errnos.EACCES,
  errnos.EPERM,
  errnos.EADDRNOTAVAIL,
]

async function openAt(
  { reactor, tcp, udp }: Relays,
  { protocol }: ServicePort,
  place: SocketAddress,
  target: () => RelayTarget | undefined,
): Promise<{ close(): void }> {
  return protocol === 'TCP'
    ? reactor.listen(place, { startsPaused: true }, tcp.accept(target))
    : reactor.openDatagram({ address: place }, udp.accept(target))
}
