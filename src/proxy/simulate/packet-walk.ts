import type { Family } from '../../net/address.ts'
import type { Flow } from '../../net/flow.ts'

/** Netfilter hooks that a packet for or through this node can meet. */
export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'

/** One packet in one branch of the walk; steps change it in place. Addresses are canonical. */
export interface Packet {
  readonly family: Family
  /** Lower case, as nft and iptables write it. */
  readonly protocol: string
  readonly source: string
  readonly sourcePort: number
  destination: string
  destinationPort: number
  /** Empty for packets that a process of this node sends (until they come in again through lo). */
  inputInterface: string
  mark: number
  isDnat: boolean
  isMasqueraded: boolean
  /** Seconds for which a step has bound the client to the backend; 0: it has not. */
  affinitySeconds: number
  /** Whether an address is one of the node's own (fib type local, addrtype LOCAL). */
  readonly isLocalAddress: (address: string) => boolean
}

/** What a step decides. `next`: go on in this rule; `break`: the rule does not match. */
export type Effect =
  | 'next'
  | 'break'
  | 'return'
  | 'accept'
  | 'drop'
  | 'reject'
  | { readonly kind: 'jump' | 'goto'; readonly chain: Chain }

/** One match or statement. `choiceCount` > 1: the kernel draws a number below it, and every draw is
 *  walked. */
export interface Step {
  readonly choiceCount: number
  run(packet: Packet, choice: number): Effect
}

/** A chain; rules are lists of steps. */
export interface Chain {
  readonly name: string
  readonly rules: (readonly Step[])[]
}

/** A chain that the kernel calls at a hook. */
export interface BaseChain {
  readonly hook: Hook
  /** Chains of type nat are asked only until one of them has bound the connection. */
  readonly type: 'filter' | 'nat'
  readonly priority: number
  readonly policy: 'accept' | 'drop'
  readonly chain: Chain
}

/** Base chains by hook, in the order in which the kernel calls them. */
export type HookTable = Readonly<Record<Hook, readonly BaseChain[]>>

/** What one branch of the walk came to, and the chains that decided it. */
export interface Outcome {
  readonly kind: 'drop' | 'reject' | 'pass'
  readonly packet: Packet
  readonly path: readonly string[]
}

/** A walk of more steps is a loop, or a rule set that no kernel would accept. */
const maxSteps = 5_000_000

interface Trail {
  readonly name: string
  readonly previous: Trail | undefined
}

/** The chain that a branch is in; `resumeIndex` is the rule of the caller to go on with. */
interface Frame {
  readonly chain: Chain
  readonly trail: Trail
  readonly caller: Frame | undefined
  readonly resumeIndex: number
}

/** A place in the rules with the packet as it is there. */
interface Branch {
  readonly packet: Packet
  hook: Hook
  baseIndex: number
  frame: Frame | undefined
  ruleIndex: number
  stepIndex: number
  choice: number
  /** Came in again through lo: its NAT is settled. */
  isLooped: boolean
  decision: Trail | undefined
}

/** Sorts base chains into the order of the kernel: by hook, then by priority. */
export function orderBaseChains(chains: readonly BaseChain[]): HookTable {
  const at = (hook: Hook): BaseChain[] =>
    chains.filter((base) => base.hook === hook).sort((a, b) => a.priority - b.priority)
  return {
    prerouting: at('prerouting'),
    input: at('input'),
    forward: at('forward'),
    output: at('output'),
    postrouting: at('postrouting'),
  }
}

/** Walks the first packet of a flow through the hooks and through every random choice; at least one
 *  outcome. Conntrack state is NEW; sets that packets fill are empty. */
export function walkPacket(
  hooks: HookTable,
  flow: Flow,
  localAddresses: readonly string[],
): readonly Outcome[] {
  const branches: Branch[] = [firstBranch(flow, localAddresses)]
  const outcomes: Outcome[] = []
  let steps = 0
  for (let branch = branches.pop(); branch !== undefined; branch = branches.pop()) {
    const finished = followBranch(hooks, branch, branches, () => ++steps <= maxSteps)
    if (finished !== undefined) outcomes.push(finished)
  }
  return outcomes
}

function firstBranch(flow: Flow, localAddresses: readonly string[]): Branch {
  const own = new Set(localAddresses)
  const packet: Packet = {
    family: flow.family,
    protocol: flow.protocol.toLowerCase(),
    source: flow.source,
    sourcePort: flow.sourcePort,
    destination: flow.destination,
    destinationPort: flow.destinationPort,
    inputInterface: flow.origin === 'local' ? '' : (flow.inputInterface ?? ''),
    mark: 0,
    isDnat: false,
    isMasqueraded: false,
    affinitySeconds: 0,
    isLocalAddress: (address) =>
      own.has(address) || address.startsWith('127.') || address === '::1',
  }
  return {
    packet,
    hook: flow.origin === 'local' ? 'output' : 'prerouting',
    baseIndex: -1,
    frame: undefined,
    ruleIndex: 0,
    stepIndex: 0,
    choice: -1,
    isLooped: false,
    decision: undefined,
  }
}

/** Runs one branch to its end; undefined when it was split and the parts were put on `branches`. */
function followBranch(
  hooks: HookTable,
  branch: Branch,
  branches: Branch[],
  spend: () => boolean,
): Outcome | undefined {
  while (true) {
    const frame = branch.frame
    if (frame === undefined) {
      if (!enterNextBaseChain(hooks, branch)) return outcome('pass', branch)
      continue
    }
    const rule = frame.chain.rules[branch.ruleIndex]
    if (rule === undefined) {
      if (leaveChain(hooks, branch, frame) === 'drop') return outcome('drop', branch)
      continue
    }
    const step = rule[branch.stepIndex]
    if (step === undefined) {
      startRule(branch, branch.ruleIndex + 1)
      continue
    }
    if (!spend()) throw new Error(`chain ${frame.chain.name}: walk of ${maxSteps} steps has no end`)
    if (step.choiceCount > 1 && branch.choice < 0) {
      for (let choice = step.choiceCount - 1; choice >= 0; choice--) {
        branches.push({ ...branch, packet: { ...branch.packet }, choice })
      }
      return undefined
    }
    const end = applyStep(hooks, branch, frame, step)
    if (end !== undefined) return outcome(end, branch)
  }
}

function applyStep(
  hooks: HookTable,
  branch: Branch,
  frame: Frame,
  step: Step,
): 'drop' | 'reject' | undefined {
  const wasDnat = branch.packet.isDnat
  const effect = step.run(branch.packet, Math.max(branch.choice, 0))
  branch.choice = -1
  if (!wasDnat && branch.packet.isDnat) branch.decision = frame.trail
  switch (effect) {
    case 'next':
      branch.stepIndex++
      return undefined
    case 'break':
      startRule(branch, branch.ruleIndex + 1)
      return undefined
    case 'accept':
      branch.frame = undefined
      return undefined
    case 'return':
      return leaveChain(hooks, branch, frame)
    case 'drop':
    case 'reject':
      branch.decision = frame.trail
      return effect
    default: {
      const { chain } = effect
      const trail: Trail = { name: chain.name, previous: frame.trail }
      branch.frame =
        effect.kind === 'goto'
          ? { chain, trail, caller: frame.caller, resumeIndex: frame.resumeIndex }
          : { chain, trail, caller: frame, resumeIndex: branch.ruleIndex + 1 }
      startRule(branch, 0)
      return undefined
    }
  }
}

function startRule(branch: Branch, ruleIndex: number): void {
  branch.ruleIndex = ruleIndex
  branch.stepIndex = 0
}

/** Back to the calling chain; at the end of a base chain its policy decides. */
function leaveChain(hooks: HookTable, branch: Branch, frame: Frame): 'drop' | undefined {
  branch.frame = frame.caller
  startRule(branch, frame.resumeIndex)
  if (frame.caller !== undefined) return undefined
  if (hooks[branch.hook][branch.baseIndex]?.policy !== 'drop') return undefined
  branch.decision = frame.trail
  return 'drop'
}

function enterNextBaseChain(hooks: HookTable, branch: Branch): boolean {
  while (true) {
    const base = hooks[branch.hook][++branch.baseIndex]
    if (base === undefined) {
      if (!enterNextHook(branch)) return false
      continue
    }
    if (base.type === 'nat' && isNatSettled(branch)) continue
    const trail: Trail = { name: base.chain.name, previous: undefined }
    branch.frame = { chain: base.chain, trail, caller: undefined, resumeIndex: 0 }
    startRule(branch, 0)
    return true
  }
}

/** nf_nat_initialized: a connection is bound once for its destination and once for its source. */
function isNatSettled(branch: Branch): boolean {
  if (branch.isLooped) return true
  return branch.hook === 'postrouting' || branch.hook === 'input'
    ? branch.packet.isMasqueraded
    : branch.packet.isDnat
}

/** The way through the kernel. What the node sends to itself leaves through lo and comes in again,
 *  still as the first packet of its connection (loopback_xmit keeps the conntrack entry). */
function enterNextHook(branch: Branch): boolean {
  const isDelivered = branch.packet.isLocalAddress(branch.packet.destination)
  branch.baseIndex = -1
  switch (branch.hook) {
    case 'prerouting':
      branch.hook = isDelivered ? 'input' : 'forward'
      return true
    case 'forward':
      branch.hook = 'postrouting'
      return true
    case 'output':
      branch.hook = 'postrouting'
      branch.isLooped = isDelivered
      return true
    case 'postrouting':
      if (!branch.isLooped) return false
      branch.hook = 'prerouting'
      branch.packet.inputInterface = 'lo'
      return true
    case 'input':
      return false
  }
}

function outcome(kind: Outcome['kind'], branch: Branch): Outcome {
  const path: string[] = []
  for (let trail = branch.decision; trail !== undefined; trail = trail.previous) {
    path.unshift(trail.name)
  }
  return { kind, packet: branch.packet, path }
}
