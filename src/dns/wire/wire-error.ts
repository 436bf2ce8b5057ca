/** Bytes that are not a DNS message, or a message that cannot be written. Where a header was readable,
 *  the sender can be told (FORMERR). */
export class WireError extends Error {
  readonly code = 'PORTOLAN_DNS_WIRE'
  /** Byte of the message at which reading stopped. */
  readonly offset: number

  constructor(offset: number, reason: string) {
    super(`DNS message, byte ${offset}: ${reason}`)
    this.name = 'WireError'
    this.offset = offset
  }
}
