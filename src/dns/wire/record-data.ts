import type { DnsName } from './name.ts'

/** What a record says, by kind. The kind is the mnemonic of the type; types of one form share one
 *  (HTTPS has the kind SVCB). Everything that this program does not look into is `raw` (RFC 3597): so
 *  DNSSEC records pass untouched. Byte strings of TXT and CAA are bytes, not text. */
export type RecordData =
  | { readonly kind: 'A'; readonly address: string }
  | { readonly kind: 'AAAA'; readonly address: string }
  | { readonly kind: 'NS'; readonly target: DnsName }
  | { readonly kind: 'CNAME'; readonly target: DnsName }
  | { readonly kind: 'PTR'; readonly target: DnsName }
  | { readonly kind: 'DNAME'; readonly target: DnsName }
  | SoaData
  | { readonly kind: 'MX'; readonly preference: number; readonly target: DnsName }
  | SrvData
  | { readonly kind: 'TXT'; readonly strings: readonly Uint8Array[] }
  | NaptrData
  | CaaData
  | SvcbData
  | { readonly kind: 'raw'; readonly bytes: Uint8Array }

/** RFC 1035 section 3.3.13. Times in seconds. */
export interface SoaData {
  readonly kind: 'SOA'
  readonly mname: DnsName
  readonly rname: DnsName
  readonly serial: number
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  readonly minimum: number
}

/** RFC 2782. */
export interface SrvData {
  readonly kind: 'SRV'
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: DnsName
}

/** RFC 3403. */
export interface NaptrData {
  readonly kind: 'NAPTR'
  readonly order: number
  readonly preference: number
  readonly flags: Uint8Array
  readonly services: Uint8Array
  readonly regexp: Uint8Array
  readonly replacement: DnsName
}

/** RFC 8659. */
export interface CaaData {
  readonly kind: 'CAA'
  readonly flags: number
  readonly tag: Uint8Array
  readonly value: Uint8Array
}

/** SVCB and HTTPS, RFC 9460. */
export interface SvcbData {
  readonly kind: 'SVCB'
  readonly priority: number
  readonly target: DnsName
  /** In ascending order of key, values as on the wire. */
  readonly parameters: readonly { readonly key: number; readonly value: Uint8Array }[]
}
