import { decodeMessage } from '../wire/decode-message.ts'
import type { Message, ResourceRecord } from '../wire/message.ts'
import { rcodes } from '../wire/numbers.ts'

/** Seconds for which an HTTP cache may repeat an answer (RFC 8484 section 5.1): the smallest TTL of its answer
 *  section, and of a denial that of its SOA (RFC 2308 section 5); 0 for failures and truncated answers. */
export function freshSeconds(answer: Uint8Array): number {
  const message = decodeMessage(answer)
  const { rcode, flags, answers, authority } = message
  if (flags.tc || (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN)) return 0
  const denial = isDenial(message) ? authority.flatMap(denialSeconds) : []
  const times = [...answers.map(({ ttl }) => ttl), ...denial]
  return times.length === 0 ? 0 : Math.min(...times)
}

/** An alias may lead to a name that does not exist. */
function isDenial({ rcode, answers }: Message): boolean {
  return rcode === rcodes.NXDOMAIN || answers.length === 0
}

function denialSeconds({ ttl, data }: ResourceRecord): readonly number[] {
  return data.kind === 'SOA' ? [Math.min(ttl, data.minimum)] : []
}
