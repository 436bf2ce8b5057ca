import type { Family } from '../../net/address.ts'
import { NetlinkError } from '../../netlink/netlink-error.ts'
import type { MarkRule, Route, RouteConnection } from '../../netlink/route.ts'

/** The mark of packets that go to a socket of a relay though their destination is a client's address. A bit that
 *  neither kube-proxy (0x4000, 0x8000) nor the usual network plugins use. */
export const returnMark = 0x1000

/** The table that delivers such packets here, and the place of the rule that leads there. Unused numbers. */
const returnTable = 28_783
const rulePriority = 4_100

/** Lets packets with the mark be delivered to this node; the path may be there already. Throws a NetlinkError. */
export function openReturnPath(connection: RouteConnection, family: Family): void {
  attempt('EEXIST', () => connection.addRoute(returnRoute(connection, family)))
  attempt('EEXIST', () => connection.addRule(returnRule(family)))
}

/** Takes that away; it need not be there. Throws a NetlinkError. */
export function closeReturnPath(connection: RouteConnection, family: Family): void {
  attempt('ENOENT', () => connection.deleteRule(returnRule(family)))
  attempt('ESRCH', () => connection.deleteRoute(returnRoute(connection, family)))
}

function returnRule(family: Family): MarkRule {
  return { family, priority: rulePriority, mark: returnMark, table: returnTable }
}

/** `local default dev lo table TABLE`. */
function returnRoute(connection: RouteConnection, family: Family): Route {
  const loopback = connection.listLinks().find(({ isLoopback }) => isLoopback)?.index
  return {
    destination: family === 4 ? '0.0.0.0' : '::',
    prefixLength: 0,
    type: 'local',
    table: returnTable,
    ...(loopback === undefined ? {} : { interfaceIndex: loopback }),
  }
}

function attempt(expected: string, change: () => void): void {
  try {
    change()
  } catch (error) {
    // A family that is switched off has neither rules nor routes.
    const isFine =
      error instanceof NetlinkError && [expected, 'EAFNOSUPPORT'].includes(error.errnoName)
    if (!isFine) throw error
  }
}
