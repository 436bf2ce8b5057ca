import type { Plugin } from '../chain/plugin.ts'
import { answerTo, failure } from '../chain/reply.ts'
import { isInZones, longestZone } from '../chain/zones.ts'
import type { TransferSettings } from '../corefile/decode-transfer.ts'
import type { DnsName } from '../wire/name.ts'
import { rcodes, recordTypes } from '../wire/numbers.ts'

/** `transfer`: hands whole zones to those that may have them, over connections only. IXFR is answered as
 *  AXFR, or with the SOA alone when the client is up to date (RFC 1995 section 4). The answer holds all
 *  records; the server splits it into messages. */
export function transferPlugin(
  rules: readonly TransferSettings[],
  holders: readonly Plugin[],
): Plugin {
  return {
    name: 'transfer',
    serve(request, next) {
      const { question, name, client, message } = request
      const isIncremental = question.type === recordTypes.IXFR
      if (question.type !== recordTypes.AXFR && !isIncremental) return next(request)
      if (request.transport === 'udp') return failure(rcodes.REFUSED, undefined)
      const rule = ruleFor(rules, name)
      if (rule === undefined) return next(request)
      const [address = ''] = client.address.split('%')
      if (!rule.to.includes('*') && !rule.to.includes(address)) {
        return answerTo(message, { rcode: rcodes.REFUSED })
      }
      const [known] = message.authority
      if (isIncremental && known?.data.kind !== 'SOA') return failure(rcodes.SERVFAIL, undefined)
      const records = holders.map((holder) => holder.transfer?.(question.name)).find(Boolean)
      if (records === undefined) return next(request)
      const answers = [...records]
      const [soa] = answers
      const hasNews =
        known?.data.kind !== 'SOA' ||
        soa?.data.kind !== 'SOA' ||
        isBefore(known.data.serial, soa.data.serial)
      return answerTo(message, {
        flags: { aa: true },
        answers: isIncremental && !hasNews ? answers.slice(0, 1) : answers,
      })
    },
  }
}

function ruleFor(rules: readonly TransferSettings[], name: DnsName): TransferSettings | undefined {
  const zone = longestZone(
    rules.flatMap((rule) => rule.zones),
    name,
  )
  return zone === undefined ? undefined : rules.find((rule) => isInZones(rule.zones, zone))
}

/** Serial numbers go round (RFC 1982). */
function isBefore(left: number, right: number): boolean {
  return left !== right && (right - left) >>> 0 < 0x80000000
}
