import { DecodeError } from '../../net/decode-error.ts'
import { AttributeReader } from '../attribute-reader.ts'
import { decodeFlow } from '../conntrack-flow.ts'
import { controlMessages, decodeErrorMessage, MessageReader } from '../message-reader.ts'
import { decodeInterfaceAddress, decodeLink } from '../route-objects.ts'
import { routeMessages } from '../route-tables.ts'
import { visitElements } from './element-reader.ts'
import { messages, subsystem, tableFamily } from './messages.ts'
import { decodeChain, decodeSet, decodeTable } from './object-codec.ts'
import { decodeRule } from './rule-codec.ts'
import { announceChanges } from './watch-nftables.ts'

/** NFNL_SUBSYS_CTNETLINK */
const conntrackSubsystem = 1
const familyHeaderBytes = 4

/** Decodes every message of a datagram with the decoder of its type, of whatever family, and returns what they
 *  gave. For fuzzing and for looking at captured bytes: ends in time proportional to the length, with a value
 *  or a DecodeError. */
export function decodeAnyNetlink(bytes: Uint8Array): unknown[] {
  const found: unknown[] = []
  const reader = new MessageReader(bytes)
  while (reader.next()) found.push(decodeMessage(reader, bytes))
  if (reader.fault !== undefined) {
    const fault = { path: [], value: reader.fault, expected: 'whole messages' }
    throw new DecodeError('netlink datagram', [fault])
  }
  announceChanges(bytes, (change) => found.push(change))
  return found
}

function decodeMessage(reader: MessageReader, bytes: Uint8Array): unknown {
  const { type, start, end } = reader
  if (type === controlMessages.error || type === controlMessages.done) {
    return decodeErrorMessage(reader, bytes)
  }
  if (type === routeMessages.newLink || type === routeMessages.deleteLink) {
    return decodeLink(bytes, start, end)
  }
  if (type === routeMessages.newAddress || type === routeMessages.deleteAddress) {
    return decodeInterfaceAddress(bytes, start, end)
  }
  if (end - start < familyHeaderBytes) return undefined
  const attributes = start + familyHeaderBytes
  if (type >> 8 === conntrackSubsystem) {
    return decodeFlow(new AttributeReader(bytes, attributes, end), bytes[start] === 10 ? 6 : 4)
  }
  if (type >> 8 !== subsystem) return undefined
  return decodeNftables(type & 0xff, bytes, start, end)
}

function decodeNftables(message: number, bytes: Uint8Array, start: number, end: number): unknown {
  const at = start + familyHeaderBytes
  switch (message) {
    case messages.newTable:
      return decodeTable(tableFamily(bytes[start] ?? 0) ?? 'ip', bytes, at, end)
    case messages.newChain:
      return decodeChain(bytes, at, end)
    case messages.newRule:
      return decodeRule(bytes, at, end)
    case messages.newSet:
      return decodeSet(bytes, at, end)
    case messages.newElement: {
      const elements: unknown[] = []
      visitElements(bytes, at, end, (...element) => elements.push(element))
      return elements
    }
    default:
      return undefined
  }
}
