import { addressBytes, familyOf, readAddress, writeAddress } from '../../net/address.ts'
import type { Prefix } from '../../net/prefix.ts'
import { classify } from '../chain/classify.ts'
import { type Plugin, whenReplied } from '../chain/plugin.ts'
import { answerTo, type Reply } from '../chain/reply.ts'
import type { Request } from '../chain/request.ts'
import type { Dns64Settings } from '../corefile/decode-dns64.ts'
import type { Message, ResourceRecord } from '../wire/message.ts'
import { recordClasses, recordTypes } from '../wire/numbers.ts'

/** RFC 6147 section 5.1.7: the TTL when the denial of AAAA came without SOA. */
const ttlWithoutSoa = 600

/** `dns64`: makes AAAA records out of A records for clients behind a NAT64 (RFC 6147). */
export function dns64Plugin(settings: Dns64Settings): Plugin {
  return {
    name: 'dns64',
    serve(request, next) {
      if (!isConcerned(settings, request)) return next(request)
      return whenReplied(next(request), (reply) => {
        if (reply.kind !== 'answer' || !needsTranslation(settings, reply.message)) return reply
        const outcome = request.lookup(request.name, recordTypes.A)
        return whenReplied(outcome, (found) =>
          translate(settings.prefix, request, reply.message, found),
        )
      })
    },
  }
}

function isConcerned({ servesIpv4 }: Dns64Settings, { question, client }: Request): boolean {
  const [address = ''] = client.address.split('%')
  if (!servesIpv4 && familyOf(address) === 4) return false
  return question.type === recordTypes.AAAA && question.class === recordClasses.IN
}

function needsTranslation({ translatesAll }: Dns64Settings, message: Message): boolean {
  if (classify(message) === 'name-error') return false
  return translatesAll || !message.answers.some((record) => record.type === recordTypes.AAAA)
}

function translate(prefix: Prefix, request: Request, denial: Message, found: Reply): Reply {
  if (found.kind !== 'answer') return found
  const soa = denial.authority.find((record) => record.type === recordTypes.SOA)
  const maxTtl = soa?.ttl ?? ttlWithoutSoa
  const { answers, authority, additional, flags } = found.message
  return answerTo(request.message, {
    flags: { tc: flags.tc },
    answers: answers.map((record) => translateRecord(prefix, record, maxTtl)),
    authority,
    additional,
    edns: found.message.edns,
  })
}

function translateRecord(prefix: Prefix, record: ResourceRecord, maxTtl: number): ResourceRecord {
  if (record.data.kind !== 'A') return record
  const address = embedAddress(prefix, record.data.address)
  const ttl = Math.min(record.ttl, maxTtl)
  return { ...record, type: recordTypes.AAAA, ttl, data: { kind: 'AAAA', address } }
}

/** RFC 6052 section 2.2: the IPv4 address stands behind the prefix, but bits 64 to 71 stay zero. */
function embedAddress(prefix: Prefix, address: string): string {
  const bytes = new Uint8Array(addressBytes(6))
  writeAddress(bytes, 0, prefix.address)
  const embedded = new Uint8Array(addressBytes(4))
  writeAddress(embedded, 0, address)
  let at = prefix.length / 8
  for (const byte of embedded) {
    if (at === 8) at++
    bytes[at++] = byte
  }
  return readAddress(bytes, 0, 6)
}
