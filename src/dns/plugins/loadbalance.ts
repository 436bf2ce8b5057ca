import { type Prefix, prefixContains } from '../../net/prefix.ts'
import { type Plugin, whenReplied } from '../chain/plugin.ts'
import { notMemoized, type Reply, withReplyMessage } from '../chain/reply.ts'
import type { Message, ResourceRecord } from '../wire/message.ts'
import { rcodes, recordTypes } from '../wire/numbers.ts'
import type { WeightTable } from './weights.ts'

/** How `loadbalance` orders records. */
export interface Balancing {
  readonly random: () => number
  /** Addresses in these networks come first, in this order. */
  readonly prefer: readonly Prefix[]
  /** Undefined: shuffle evenly. */
  readonly weights: WeightTable | undefined
}

/** `loadbalance`: changes the order of address and MX records from answer to answer; aliases first. */
export function loadbalancePlugin(balancing: Balancing): Plugin {
  return {
    name: 'loadbalance',
    serve: (request, next) =>
      whenReplied(next(request), (reply) => balanceReply(reply, request.question.type, balancing)),
    run: async (signal) => balancing.weights?.run(signal),
  }
}

function balanceReply(reply: Reply, type: number, balancing: Balancing): Reply {
  if (reply.kind !== 'answer' || reply.message.rcode !== rcodes.NOERROR) return reply
  if (type === recordTypes.AXFR || type === recordTypes.IXFR) return reply
  const { message } = reply
  if (!hasSeveral(message.answers) && !hasSeveral(message.additional)) return reply
  const changed = withReplyMessage(reply, balanceMessage(message, type, balancing))
  // A kept answer turns its records round evenly, which is not what weights and networks ask for.
  const isEven = balancing.weights === undefined && balancing.prefer.length === 0
  return isEven ? { ...changed, isRotated: true } : notMemoized(changed)
}

function hasSeveral(records: readonly ResourceRecord[]): boolean {
  return records.length > 1
}

function balanceMessage(message: Message, type: number, balancing: Balancing): Message {
  const { prefer, weights, random } = balancing
  let { answers, authority, additional } = message
  if (weights === undefined) {
    answers = shuffled(answers, random)
    authority = shuffled(authority, random)
    additional = shuffled(additional, random)
  } else if (weightedTypes.has(type)) {
    answers = weighted(answers, weights, random)
    additional = weighted(additional, weights, random)
  }
  if (prefer.length > 0) {
    answers = preferred(answers, prefer)
    additional = preferred(additional, prefer)
  }
  return { ...message, answers, authority, additional }
}

const weightedTypes: ReadonlySet<number> = new Set([
  recordTypes.A,
  recordTypes.AAAA,
  recordTypes.SRV,
])

interface Groups {
  readonly aliases: ResourceRecord[]
  readonly addresses: ResourceRecord[]
  readonly mail: ResourceRecord[]
  readonly rest: ResourceRecord[]
}

function grouped(records: readonly ResourceRecord[]): Groups {
  const groups: Groups = { aliases: [], addresses: [], mail: [], rest: [] }
  for (const record of records) {
    if (record.type === recordTypes.CNAME) groups.aliases.push(record)
    else if (isAddress(record)) groups.addresses.push(record)
    else if (record.type === recordTypes.MX) groups.mail.push(record)
    else groups.rest.push(record)
  }
  return groups
}

function isAddress(record: ResourceRecord): boolean {
  return record.type === recordTypes.A || record.type === recordTypes.AAAA
}

function shuffled(
  records: readonly ResourceRecord[],
  random: () => number,
): readonly ResourceRecord[] {
  if (records.length < 2) return records
  const { aliases, addresses, mail, rest } = grouped(records)
  shuffle(addresses, random)
  shuffle(mail, random)
  return [...aliases, ...rest, ...addresses, ...mail]
}

/** Fisher and Yates. */
function shuffle(records: ResourceRecord[], random: () => number): void {
  for (let index = 0; index < records.length - 1; index++) {
    swap(records, index, index + Math.floor(random() * (records.length - index)))
  }
}

/** One address comes first, each as often as its weight says. */
function weighted(
  records: readonly ResourceRecord[],
  table: WeightTable,
  random: () => number,
): readonly ResourceRecord[] {
  const { aliases, addresses, mail, rest } = grouped(records)
  const weights = addresses.map((record) => table.weightOf(record))
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0)
  const first = weights.findIndex((weight) => {
    left -= weight
    return left < 0
  })
  if (first > 0) swap(addresses, 0, first)
  return addresses.length === 0 ? records : [...aliases, ...rest, ...addresses, ...mail]
}

function preferred(
  records: readonly ResourceRecord[],
  prefer: readonly Prefix[],
): readonly ResourceRecord[] {
  const { aliases, addresses, mail, rest } = grouped(records)
  const rank = (record: ResourceRecord): number => {
    const { data } = record
    if (data.kind !== 'A' && data.kind !== 'AAAA') return prefer.length
    const index = prefer.findIndex((prefix) => prefixContains(prefix, data.address))
    return index < 0 ? prefer.length : index
  }
  const ranked = addresses.toSorted((left, right) => rank(left) - rank(right))
  return [...aliases, ...ranked, ...mail, ...rest]
}

function swap(records: ResourceRecord[], left: number, right: number): void {
  const [first, second] = [records[left], records[right]]
  if (first === undefined || second === undefined) return
  records[left] = second
  records[right] = first
}
