import { type Prefix, prefixContains } from '../../net/prefix.ts'
import type { Next, Outcome, Plugin } from '../chain/plugin.ts'
import { whenReplied } from '../chain/plugin.ts'
import { answerTo, dropped, notMemoized } from '../chain/reply.ts'
import type { Request } from '../chain/request.ts'
import { longestZone } from '../chain/zones.ts'
import type { AclAction, AclSettings } from '../corefile/decode-acl.ts'
import type { Edns } from '../wire/message.ts'
import { ednsOptions, rcodes } from '../wire/numbers.ts'

/** RFC 8914: the query is refused, or answered with nothing, by policy. */
const extendedErrors = { blocked: 15, filtered: 17 }

/** `acl`: refuses, empties or drops queries by source, type and zone. What it makes does not depend on
 *  the source when its rules do not. */
export function aclPlugin(rules: readonly AclSettings[]): Plugin {
  const seesSource = rules.some((rule) =>
    rule.policies.some(({ sources }) => sources !== undefined),
  )
  const memo = seesSource ? 'never' : 'until-names-change'
  return {
    name: 'acl',
    serve(request: Request, next: Next): Outcome {
      const action = decide(rules, request)
      if (action !== 'allow') request.trace?.note('acl', `a rule says ${action}`)
      switch (action) {
        case 'drop':
          return dropped
        case 'block': {
          const edns = policyEdns(extendedErrors.blocked)
          return answerTo(request.message, { rcode: rcodes.REFUSED, edns, memo })
        }
        case 'filter': {
          const edns = policyEdns(extendedErrors.filtered)
          return answerTo(request.message, { edns, memo })
        }
        case 'allow': {
          const outcome = next(request)
          return seesSource ? whenReplied(outcome, notMemoized) : outcome
        }
      }
    },
  }
}

function decide(rules: readonly AclSettings[], request: Request): AclAction {
  const [address = ''] = request.client.address.split('%')
  for (const rule of rules) {
    if (longestZone(rule.zones, request.name) === undefined) continue
    const policy = rule.policies.find(
      ({ types, sources }) =>
        (types === undefined || types.has(request.question.type)) &&
        (sources === undefined || isFrom(sources, address)),
    )
    if (policy !== undefined) return policy.action
  }
  return 'allow'
}

function isFrom(sources: readonly Prefix[], address: string): boolean {
  return sources.some((source) => prefixContains(source, address))
}

/** CoreDNS tells the reason even to clients without EDNS. */
function policyEdns(code: number): Edns {
  const data = Uint8Array.of(code >> 8, code & 0xff)
  const options = [{ code: ednsOptions.ERROR, data }]
  return { udpSize: 4096, version: 0, isDnssecOk: true, options }
}
