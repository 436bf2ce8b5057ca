/** A connection: one number of 31 bits. `slotOf` gives its place in flat tables. A number is not given again
 *  before 2,047 later connections had the same slot; a call with one that has ended does nothing. */
export type ConnectionId = number

/** Bits of a connection id that are its slot; the others count how often the slot was used. */
export const slotBits = 20

/** The connection's place in flat tables: below `limits.connections`, free again after `onClose`. */
export function slotOf(connection: ConnectionId): number {
  return connection & ((1 << slotBits) - 1)
}
