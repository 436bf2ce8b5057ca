import { parseAddress } from '../../net/address.ts'

/** Where a server listens. */
export interface BindAddress {
  /** Canonical address without brackets. */
  readonly host: string
  /** 1..65535. */
  readonly port: number
}

/** Decodes `10.0.0.1:80`, `[::1]:80`, or an address alone, which gets the default port. */
export function parseBindAddress(text: string, defaultPort: number): BindAddress | undefined {
  const alone = parseAddress(text)
  if (alone !== undefined) return { host: alone.text, port: defaultPort }
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(text)
  const address = parseAddress(match?.[1] ?? match?.[2] ?? '')
  if (match === null || address === undefined) return undefined
  if ((address.family === 6) !== (match[1] !== undefined)) return undefined
  const port = match[3] === undefined ? defaultPort : Number(match[3])
  return port >= 1 && port <= 65_535 ? { host: address.text, port } : undefined
}

/** `10.0.0.1:80` or `[::1]:80`. */
export function formatBindAddress(address: BindAddress): string {
  return address.host.includes(':')
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`
}
