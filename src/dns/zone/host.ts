import { familyOf, parseAddress } from '../../net/address.ts'

/** Something that a name stands for: an address, or another name. */
export interface Host {
  readonly kind: 'A' | 'AAAA' | 'CNAME'
  /** Canonical address, or a name as the object has it. */
  readonly text: string
  /** 0: of no port (pods), -1: its object has no ports, so that there is no SRV record. */
  readonly port: number
  /** The name of the host itself, below the zone: `web.default.svc`. */
  readonly owner: string
}

/** A host from text that may be an address or a name. */
export function hostOf(text: string, port: number, owner: string): Host {
  const address = parseAddress(text)?.text
  if (address === undefined) return { kind: 'CNAME', text, port, owner }
  return { kind: addressKind(address), text: address, port, owner }
}

/** The record type of a canonical address. */
export function addressKind(address: string): 'A' | 'AAAA' {
  return familyOf(address) === 4 ? 'A' : 'AAAA'
}
