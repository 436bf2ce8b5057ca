import { type Family, familyOf } from '../net/address.ts'

/** An address and port of a socket. `address` is canonical; `0.0.0.0` and `::` are any local address. */
export interface SocketAddress {
  readonly address: string
  readonly port: number
}

/** `10.0.0.1:80` or `[2001:db8::1]:80`. */
export function formatSocketAddress({ address, port }: SocketAddress): string {
  return socketFamily({ address }) === 4 ? `${address}:${port}` : `[${address}]:${port}`
}

/** The family of a socket address. */
export function socketFamily({ address }: Pick<SocketAddress, 'address'>): Family {
  return familyOf(address)
}
