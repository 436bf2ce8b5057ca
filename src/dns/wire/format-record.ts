import { toByteString } from '../../net/byte-string.ts'
import type { ResourceRecord } from './message.ts'
import type { DnsName } from './name.ts'
import { formatClass, formatType } from './numbers.ts'
import type { RecordData } from './record-data.ts'

/** A record as a line of a zone file: `NAME TTL CLASS TYPE DATA`. */
export function formatRecord(record: ResourceRecord): string {
  const { name, ttl, type, data } = record
  const words = [
    formatName(name),
    ttl,
    formatClass(record.class),
    formatType(type),
    formatRecordData(data),
  ]
  return words.join('\t')
}

/** The data of a record as zone files have it; unknown data in the form of RFC 3597. */
export function formatRecordData(data: RecordData): string {
  switch (data.kind) {
    case 'A':
    case 'AAAA':
      return data.address
    case 'NS':
    case 'CNAME':
    case 'PTR':
    case 'DNAME':
      return formatName(data.target)
    case 'MX':
      return `${data.preference} ${formatName(data.target)}`
    case 'SRV':
      return `${data.priority} ${data.weight} ${data.port} ${formatName(data.target)}`
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = data
      return [formatName(mname), formatName(rname), serial, refresh, retry, expire, minimum].join(
        ' ',
      )
    }
    case 'TXT':
      return data.strings.map(quoted).join(' ')
    case 'NAPTR': {
      const texts = [data.flags, data.services, data.regexp].map(quoted)
      return [data.order, data.preference, ...texts, formatName(data.replacement)].join(' ')
    }
    case 'CAA':
      return `${data.flags} ${toByteString(data.tag)} ${quoted(data.value)}`
    case 'SVCB': {
      const parameters = data.parameters.map(({ key, value }) => `key${key}=${quoted(value)}`)
      return [data.priority, formatName(data.target), ...parameters].join(' ')
    }
    case 'raw': {
      const hex = Buffer.from(data.bytes).toString('hex')
      return hex === '' ? '\\# 0' : `\\# ${data.bytes.length} ${hex}`
    }
  }
}

/** A name with the characters escaped that mean something in zone files (RFC 1035 section 5.1). */
function formatName(name: DnsName): string {
  return name.replace(/["();@$]/g, '\\$&')
}

/** RFC 1035 section 5.1: quotes and backslashes escaped, and what is not printable as three digits. */
function quoted(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    if (byte === 34 || byte === 92) text += `\\${String.fromCharCode(byte)}`
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte)
    else text += `\\${String(byte).padStart(3, '0')}`
  }
  return `"${text}"`
}
