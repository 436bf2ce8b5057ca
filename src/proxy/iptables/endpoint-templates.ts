import { type Family, writeAddress } from '../../net/address.ts'
import { type Protocol, protocolNumber } from '../../net/protocol.ts'
import { AttributeWriter } from '../../netlink/attribute-writer.ts'
import type { Rule as KernelRule } from '../../netlink/nftables/objects.ts'
import { encodeExpressions } from '../../netlink/nftables/rule-codec.ts'
import type { Rule } from './rule.ts'
import { kernelRule } from './rule-expressions.ts'
import { destinationNat, putHostNumber, statistic } from './xtables-info.ts'

interface Template {
  readonly bytes: Uint8Array
  /** Where the structures of `statistic` (-1: none) and `DNAT` begin. */
  readonly statisticAt: number
  readonly natAt: number
}

/** What no endpoint has: the template is searched for it. */
const sample = { share: 0x1234_5678, port: 0x7f7e } as const
const sampleAddress: Readonly<Record<Family, string>> = { 4: '203.0.113.77', 6: '2001:db8::77' }

/** Rules of single endpoints, nine of ten that there are, cut from templates: encoded once by the tables,
 *  then patched. They are byte for byte what the tables give. */
export class EndpointTemplates {
  readonly #templates = new Map<string, Template>()

  /** The rule for the kernel, to be written before the next call, which patches the same bytes; undefined when
   *  it is no plain rule of an endpoint. */
  rule(chain: string, rule: Rule, family: Family): KernelRule | undefined {
    const { protocol, target, matches = [], comment } = rule
    if (target.kind !== 'dnat' || protocol === undefined) return undefined
    if (rule.source ?? rule.destination ?? rule.input ?? rule.port) return undefined
    const [match, ...more] = matches
    if (more.length > 0 || (match !== undefined && match.kind !== 'statistic')) return undefined
    const { bytes, statisticAt, natAt } = this.#template(protocol, family, match !== undefined)
    if (match !== undefined) {
      putHostNumber(bytes, statisticAt + 4, 4, match.share)
      putHostNumber(bytes, statisticAt + 12, 4, match.share)
    }
    writeAddress(bytes, natAt + 4, target.address)
    writeAddress(bytes, natAt + 20, target.address)
    for (const at of [natAt + 36, natAt + 38]) {
      bytes[at] = target.port >> 8
      bytes[at + 1] = target.port & 0xff
    }
    const compatProtocol = protocolNumber(protocol)
    const plain = { chain, expressions: [], encodedExpressions: bytes, compatProtocol }
    return comment === undefined ? plain : { ...plain, comment }
  }

  #template(protocol: Protocol, family: Family, hasShare: boolean): Template {
    const key = `${protocol} ${family} ${hasShare}`
    let template = this.#templates.get(key)
    if (template === undefined) {
      template = makeTemplate(protocol, family, hasShare)
      this.#templates.set(key, template)
    }
    return template
  }
}

function makeTemplate(protocol: Protocol, family: Family, hasShare: boolean): Template {
  const address = sampleAddress[family]
  const rule: Rule = {
    protocol,
    matches: hasShare ? [{ kind: 'statistic', share: sample.share }] : [],
    target: { kind: 'dnat', address, port: sample.port },
  }
  const writer = new AttributeWriter()
  encodeExpressions(writer, kernelRule('', rule, family).expressions)
  const bytes = writer.written().slice()
  const find = ({ data }: ReturnType<typeof statistic>): number =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(data.info)
  return {
    bytes,
    statisticAt: hasShare ? find(statistic(sample.share)) : -1,
    natAt: find(destinationNat(address, sample.port)),
  }
}
