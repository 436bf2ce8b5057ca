import { MessageReader } from './message-reader.ts'
import {
  decodeInterfaceAddress,
  decodeLink,
  type InterfaceAddress,
  type Link,
} from './route-objects.ts'
import { routeGroups, routeMessages } from './route-tables.ts'
import { NetlinkSocket, netlinkProtocols } from './socket.ts'

/** A change of an interface or address. `overrun`: notifications were lost, list again. */
export type RouteChange =
  | { readonly type: 'link'; readonly isDeleted: boolean; readonly link: Link }
  | { readonly type: 'address'; readonly isDeleted: boolean; readonly address: InterfaceAddress }
  | { readonly type: 'overrun' }

/** Calls back on the event loop with changes of interfaces and addresses until `signal` ends. */
export function watchRoute(onChange: (change: RouteChange) => void, signal: AbortSignal): void {
  const socket = NetlinkSocket.open('route', netlinkProtocols.route)
  try {
    for (const group of Object.values(routeGroups)) socket.join(group)
  } catch (error) {
    socket.close()
    throw error
  }
  const onOverrun = () => onChange({ type: 'overrun' })
  socket.listen((bytes) => announceRouteChanges(bytes, onChange), onOverrun, signal)
}

/** Decodes the notifications in a datagram; other messages are passed over. Throws a DecodeError. */
export function announceRouteChanges(
  bytes: Uint8Array,
  onChange: (change: RouteChange) => void,
): void {
  const reader = new MessageReader(bytes)
  const { newLink, deleteLink, newAddress, deleteAddress } = routeMessages
  while (reader.next()) {
    const { type, start, end } = reader
    if (type === newLink || type === deleteLink) {
      const link = decodeLink(bytes, start, end)
      if (link !== undefined) onChange({ type: 'link', isDeleted: type === deleteLink, link })
    } else if (type === newAddress || type === deleteAddress) {
      const address = decodeInterfaceAddress(bytes, start, end)
      const isDeleted = type === deleteAddress
      if (address !== undefined) onChange({ type: 'address', isDeleted, address })
    }
  }
}
