import { addressBytes, familyOf, writeAddress } from '../../net/address.ts'
import { type Request, withMessage } from '../chain/request.ts'
import type { EdnsRule, EdnsRuleOption, EdnsVariable } from '../corefile/decode-rewrite-edns.ts'
import type { Edns, EdnsOption } from '../wire/message.ts'
import { ednsOptions } from '../wire/numbers.ts'
import type { Rewritten } from './rewrite-answer.ts'

/** What a query gets that had no EDNS part, as in CoreDNS. */
const addedEdns: Edns = { udpSize: 4096, version: 0, isDnssecOk: false, options: [] }

/** The request with an EDNS option set, added, replaced or taken out; undefined when the rule leaves it. */
export function rewriteEdns(rule: EdnsRule, request: Request): Rewritten | undefined {
  const edns = request.message.edns ?? addedEdns
  const code = codeOf(rule.option)
  const before = edns.options.find((option) => option.code === code)
  if (rule.action === 'unset') {
    const options = edns.options.filter((option) => option.code !== code)
    return { request: withEdns(request, { ...edns, options }), changes: [] }
  }
  const isReplaced = before !== undefined && rule.action !== 'append'
  const isAdded = rule.action === 'append' || (rule.action === 'set' && before === undefined)
  // An option that is there already is not added again by rules that compute its value, as in CoreDNS.
  const isTaken = before !== undefined && rule.action === 'append' && isComputed(rule.option)
  if (isTaken || !(isReplaced || isAdded)) return undefined
  const option = { code, data: optionData(rule.option, request) }
  const options = isReplaced
    ? edns.options.map((other) => (other === before ? option : other))
    : [...edns.options, option]
  const changes = rule.isReverted ? [{ kind: 'edns-option' as const, code, before }] : []
  return { request: withEdns(request, { ...edns, options }), changes }
}

function withEdns(request: Request, edns: Edns): Request {
  request.envelope.edns = edns
  return withMessage(request, { ...request.message, edns })
}

function codeOf(option: EdnsRuleOption): EdnsOption['code'] {
  switch (option.kind) {
    case 'nsid':
      return ednsOptions.NSID
    case 'subnet':
      return ednsOptions.SUBNET
    default:
      return option.code
  }
}

function isComputed(option: EdnsRuleOption): boolean {
  return option.kind === 'variable' || option.kind === 'subnet'
}

function optionData(option: EdnsRuleOption, request: Request): Uint8Array {
  switch (option.kind) {
    case 'nsid':
      return new Uint8Array(0)
    case 'local':
      return option.value
    case 'variable':
      return variableData(option.variable, request)
    case 'subnet':
      return subnetData(option.bits4, option.bits6, request)
  }
}

function variableData(variable: EdnsVariable, request: Request): Uint8Array {
  switch (variable) {
    case 'qname':
      return Buffer.from(request.question.name)
    case 'qtype':
      return u16(request.question.type)
    case 'client_ip':
      return addressData(request.client.address)
    case 'server_ip':
      return addressData(request.local.address)
    case 'client_port':
      return u16(request.client.port)
    case 'server_port':
      return u16(request.local.port)
    case 'protocol':
      return Buffer.from(request.transport === 'udp' ? 'udp' : 'tcp')
  }
}

/** RFC 7871 section 6: family, source and scope length, and as many bytes of the address as count. */
function subnetData(bits4: number, bits6: number, request: Request): Uint8Array {
  const address = addressData(request.client.address)
  const isIpv4 = address.length === 4
  const bits = isIpv4 ? bits4 : bits6
  const kept = address.slice(0, Math.ceil(bits / 8))
  const rest = bits % 8
  const last = kept.length - 1
  if (rest > 0) kept[last] = (kept[last] ?? 0) & (0xff << (8 - rest))
  return Uint8Array.of(0, isIpv4 ? 1 : 2, bits, 0, ...kept)
}

function addressData(text: string): Uint8Array {
  const [address = ''] = text.split('%')
  const bytes = new Uint8Array(addressBytes(familyOf(address)))
  writeAddress(bytes, 0, address)
  return bytes
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}
