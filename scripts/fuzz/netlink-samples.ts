import { AttributeWriter } from '../../src/netlink/attribute-writer.ts'
import { writeElement, writeSetElement } from '../../src/netlink/nftables/element-writer.ts'
import { messages, messageType } from '../../src/netlink/nftables/messages.ts'
import { encodeChain, encodeSet, encodeTable } from '../../src/netlink/nftables/object-codec.ts'
import type { Rule, SetDefinition } from '../../src/netlink/nftables/objects.ts'
import { encodeRule } from '../../src/netlink/nftables/rule-codec.ts'

const services: SetDefinition = {
  name: 'services',
  keyType: 0x1d6d,
  keyBytes: 12,
  fieldBytes: [4, 1, 2],
  data: { type: 4, bytes: 4 },
  isInterval: false,
  isDynamic: false,
  maxElements: 65_536,
}

const affinity: SetDefinition = {
  name: 'affinity',
  keyType: 7,
  keyBytes: 4,
  fieldBytes: [4],
  isInterval: false,
  isDynamic: true,
}

const rule: Rule = {
  chain: 'services',
  comment: 'balance',
  handle: 7n,
  expressions: [
    { name: 'payload', data: { dreg: 1, base: 1, offset: 16, len: 4 } },
    { name: 'meta', data: { dreg: 9, key: 16 } },
    { name: 'lookup', data: { set: 'services', sreg: 1, dreg: 1 } },
    { name: 'immediate', data: { dreg: 0, data: { verdict: { code: -3, chain: 'pools' } } } },
  ],
}

/** Messages as the kernel sends them in dumps and notifications, one per sample. */
export const netlinkSamples: readonly Uint8Array[] = [
  message(messages.newTable, (writer) =>
    encodeTable(writer, { family: 'ip', name: 'portolan', comment: 'ours' }),
  ),
  message(messages.newChain, (writer) =>
    encodeChain(writer, 'portolan', {
      name: 'dnat',
      hook: { type: 'nat', hook: 'prerouting', priority: -100 },
      comment: 'received flows',
    }),
  ),
  message(messages.newSet, (writer) => encodeSet(writer, 'portolan', services, 1)),
  message(messages.newSet, (writer) => encodeSet(writer, 'portolan', affinity, 2)),
  message(messages.newRule, (writer) => encodeRule(writer, 'portolan', rule)),
  message(messages.newElement, (writer) => {
    writer.string(1, 'portolan')
    writer.string(2, 'services')
    const list = writer.nest(3)
    writeElement(
      writer,
      '\x0a\x60\x00\x0a\x06\x00\x00\x00\x00\x50\x00\x00',
      '\x00\x00\x00\x01',
      'a',
    )
    writeSetElement(writer, { key: '\x0a\x60\x00\x0b', timeoutMs: 60_000, expiresInMs: 5_000 })
    writeSetElement(writer, { key: '\x0a\x60\x00\x0c', keyEnd: '\x0a\x60\x00\x0d' })
    writeSetElement(writer, { key: '\x0a\x60\x00\x0e', verdict: { code: -3, chain: 'pools' } })
    writer.close(list)
  }),
  answer(0),
  answer(-17),
]

function message(type: number, body: (writer: AttributeWriter) => void): Uint8Array {
  const writer = new AttributeWriter()
  const start = writer.beginMessage(messageType(type), 2, 1)
  writer.netfilterHeader(2, 0)
  body(writer)
  writer.endMessage(start)
  return writer.written().slice()
}

/** NLMSG_ERROR with the header of the request and an extended acknowledgement. */
function answer(errno: number): Uint8Array {
  const writer = new AttributeWriter()
  const start = writer.beginMessage(2, 0x300, 1)
  const fixed = new Uint8Array(20)
  const view = new DataView(fixed.buffer)
  view.setInt32(0, errno, true)
  view.setUint32(4, 16, true)
  writer.structure(fixed)
  writer.string(1, 'could not be processed')
  writer.u32host(2, 44)
  writer.endMessage(start)
  return writer.written().slice()
}
