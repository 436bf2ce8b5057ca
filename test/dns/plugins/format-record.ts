import type { ResourceRecord } from '../../../src/dns/wire/message.ts'
import { formatType } from '../../../src/dns/wire/numbers.ts'
import type { RecordData } from '../../../src/dns/wire/record-data.ts'

/** `NAME TTL TYPE DATA`, for expectations. */
export function formatRecord({ name, ttl, type, data }: ResourceRecord): string {
  return `${name} ${ttl} ${formatType(type)} ${formatData(data)}`
}

function formatData(data: RecordData): string {
  switch (data.kind) {
    case 'raw':
      return Buffer.from(data.bytes).toString('hex')
    case 'TXT':
      return data.strings.map((string) => JSON.stringify(Buffer.from(string).toString())).join(' ')
    default: {
      const { kind: _, ...fields } = data
      return Object.values(fields)
        .map((value: unknown) =>
          value instanceof Uint8Array ? Buffer.from(value).toString() : String(value),
        )
        .join(' ')
    }
  }
}
