import type { Flow } from '../../net/flow.ts'
import type { Chain, Hook } from '../../netlink/nftables/objects.ts'
import { type ChainEnd, runChain } from './machine-chain.ts'
import { isLocalAddress } from './machine-loads.ts'
import { type Packet, packetOf, readdress } from './machine-packet.ts'
import type { Budget, ProgramIndex, TableIndex, Thread } from './machine-thread.ts'

/** One way of a flow through the node's hooks. */
export interface Journey {
  readonly packet: Packet
  readonly thread: Thread
  readonly end: 'passed' | 'drop' | 'reject'
  readonly isRedirected: boolean
  readonly isMasqueraded: boolean
  /** Received for the node itself: postrouting was not passed. */
  readonly isDelivered: boolean
  /** Probability; those of all journeys of a flow add up to 1. */
  readonly share: number
}

/** What else the machine must know about the node and the moment. */
export interface JourneyOptions {
  readonly localAddresses: readonly string[]
  /** The mark that the packet has when it comes to our rules. */
  readonly initialMark: number
  readonly dynamicElements: 'given' | 'empty'
}

/** Expressions of one flow at most: a pool of 16,384 slots behind nine draws needs 1.2 million. */
const expressionLimit = 50_000_000

/** Sends the first packet of a flow through every hook. Throws MachineError for a refused program. What
 *  the node receives for itself never comes to postrouting, so nothing masquerades it. */
export function journeys(program: ProgramIndex, flow: Flow, options: JourneyOptions): Journey[] {
  const family = flow.family === 4 ? 'ip' : 'ip6'
  const node: Node = {
    tables: program.indexes.filter(({ view }) => view.table.family === family),
    localAddresses: new Set(options.localAddresses),
    dynamicElements: options.dynamicElements,
    budget: { remaining: expressionLimit },
  }
  const start: Journey = {
    packet: packetOf(flow),
    thread: { mark: options.initialMark, timeoutMs: 0, writes: new Map(), trail: undefined },
    end: 'passed',
    isRedirected: false,
    isMasqueraded: false,
    isDelivered: false,
    share: 1,
  }
  return flow.origin === 'local' ? sendLocal(node, start) : receive(node, start)
}

function receive(node: Node, start: Journey): Journey[] {
  const routed = passHook(node, 'prerouting', [start])
  const delivered = routed.filter((journey) => isForUs(node, journey))
  const forwarded = routed.filter((journey) => !isForUs(node, journey))
  return [
    ...passHook(node, 'input', delivered).map((journey) => ({ ...journey, isDelivered: true })),
    ...passHook(node, 'postrouting', passHook(node, 'forward', forwarded)),
  ]
}

/** What the node sends to itself comes in again through lo; its connection's NAT is settled by then. */
function sendLocal(node: Node, start: Journey): Journey[] {
  const sent = passHook(node, 'postrouting', passHook(node, 'output', [start]))
  const again: Node = {
    ...node,
    tables: node.tables.map(({ view, ...rest }) => {
      const chains = view.chains.filter((chain) => chain.hook?.type !== 'nat')
      return { ...rest, view: { ...view, chains } }
    }),
  }
  const looped = sent.filter((journey) => isForUs(node, journey))
  return [
    ...sent.filter((journey) => !isForUs(node, journey)),
    ...passHook(again, 'input', passHook(again, 'prerouting', looped)),
  ]
}

function isForUs(node: Node, journey: Journey): boolean {
  return isLocalAddress(journey.packet.destination, node.localAddresses)
}

interface Node {
  readonly tables: readonly TableIndex[]
  readonly localAddresses: ReadonlySet<string>
  readonly dynamicElements: JourneyOptions['dynamicElements']
  readonly budget: Budget
}

function passHook(node: Node, hook: Hook['hook'], starts: readonly Journey[]): Journey[] {
  let now = [...starts]
  for (const base of baseChains(node, hook)) {
    now = now.flatMap((journey) => passChain(node, base, journey))
  }
  return now
}

interface BaseChain {
  readonly table: TableIndex
  readonly chain: Chain
  readonly hook: Hook
}

/** The hook's chains in order. All nat chains run where the nat core has its hook, at -100 or 100,
 *  and only among themselves by their own priorities. */
function baseChains(node: Node, name: Hook['hook']): BaseChain[] {
  const found = node.tables.flatMap((table) =>
    table.view.chains.flatMap((chain) =>
      chain.hook?.hook === name ? [{ table, chain, hook: chain.hook }] : [],
    ),
  )
  const position = ({ type, priority }: Hook): number =>
    type !== 'nat' ? priority : name === 'prerouting' || name === 'output' ? -100 : 100
  return found.sort(
    (one, other) =>
      position(one.hook) - position(other.hook) || one.hook.priority - other.hook.priority,
  )
}

function passChain(node: Node, { table, chain, hook }: BaseChain, journey: Journey): Journey[] {
  // The first nat chain that decides at a hook is the last one that is asked there.
  const isSource = hook.hook === 'postrouting' || hook.hook === 'input'
  const isDecided = isSource ? journey.isMasqueraded : journey.isRedirected
  if (journey.end !== 'passed' || (hook.type === 'nat' && isDecided)) return [journey]
  const scene = {
    table,
    hook,
    packet: journey.packet,
    isRedirected: journey.isRedirected,
    localAddresses: node.localAddresses,
    dynamicElements: node.dynamicElements,
    budget: node.budget,
  }
  const ends: Journey[] = []
  runChain(scene, chain.name, journey.thread, (end, thread, share) => {
    ends.push(ended(journey, end, thread, share))
  })
  return ends
}

function ended(journey: Journey, end: ChainEnd, thread: Thread, share: number): Journey {
  const next = { ...journey, thread, share: journey.share * share }
  switch (end.kind) {
    case 'accept':
      return next
    case 'drop':
    case 'reject':
      return { ...next, end: end.kind }
    case 'masquerade':
      return { ...next, isMasqueraded: true }
    case 'dnat': {
      const packet = readdress(journey.packet.flow, end.address, end.port)
      return { ...next, packet, isRedirected: true }
    }
  }
}
