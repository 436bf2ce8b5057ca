/** Record types, IANA "DNS Parameters", by mnemonic. */
export const recordTypes = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  NULL: 10,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  RP: 17,
  SIG: 24,
  KEY: 25,
  AAAA: 28,
  LOC: 29,
  SRV: 33,
  NAPTR: 35,
  CERT: 37,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  URI: 256,
  CAA: 257,
} as const

/** Classes, RFC 1035 section 3.2.4 and RFC 2136. */
export const recordClasses = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const

/** Response codes, RFC 1035, 2136, 6891 and 7873. */
export const rcodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADMODE: 19,
  BADNAME: 20,
  BADALG: 21,
  BADTRUNC: 22,
  BADCOOKIE: 23,
} as const

/** Operations, RFC 1035, 1996 and 2136. */
export const opcodes = { QUERY: 0, IQUERY: 1, STATUS: 2, NOTIFY: 4, UPDATE: 5 } as const

/** EDNS option codes, IANA. */
export const ednsOptions = {
  NSID: 3,
  SUBNET: 8,
  EXPIRE: 9,
  COOKIE: 10,
  KEEPALIVE: 11,
  PADDING: 12,
  ERROR: 15,
} as const

const typeNames = new Map<number, string>(
  Object.entries(recordTypes).map(([name, number]) => [number, name]),
)
const classNames = new Map<number, string>(
  Object.entries(recordClasses).map(([name, number]) => [number, name]),
)
const rcodeNames = new Map<number, string>(
  Object.entries(rcodes).map(([name, number]) => [number, name]),
)

/** `AAAA`, or `TYPE65280` (RFC 3597) for a type without mnemonic here. */
export function formatType(type: number): string {
  return typeNames.get(type) ?? `TYPE${type}`
}

/** The number of a mnemonic or of `TYPE123`, in any case; undefined when it is neither. */
export function parseType(text: string): number | undefined {
  return parseNumber(recordTypes, text, 'TYPE')
}

/** `IN`, or `CLASS12` (RFC 3597). */
export function formatClass(recordClass: number): string {
  return classNames.get(recordClass) ?? `CLASS${recordClass}`
}

/** The number of a class or of `CLASS12`, in any case; undefined when it is neither. */
export function parseClass(text: string): number | undefined {
  return parseNumber(recordClasses, text, 'CLASS')
}

/** `NXDOMAIN`, or `RCODE12`. */
export function formatRcode(rcode: number): string {
  return rcodeNames.get(rcode) ?? `RCODE${rcode}`
}

function parseNumber(
  table: Readonly<Record<string, number>>,
  text: string,
  prefix: string,
): number | undefined {
  const word = text.toUpperCase()
  if (Object.hasOwn(table, word)) return table[word]
  if (!word.startsWith(prefix)) return undefined
  const digits = word.slice(prefix.length)
  if (!/^[0-9]{1,5}$/.test(digits)) return undefined
  const number = Number(digits)
  return number <= 0xffff ? number : undefined
}
