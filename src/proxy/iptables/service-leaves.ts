import type { Family } from '../../net/address.ts'
import { hostPrefix } from '../../net/prefix.ts'
import type { Protocol } from '../../net/protocol.ts'
import type { Frontend, ServicePlan } from '../plan/plan.ts'
import { portChainName, portTitle } from './chain-names.ts'
import { entryChain, frontendMatch, isBalanced } from './compile-service.ts'
import type { RootName } from './compile-structure.ts'
import { addressDigits, addressPath, portOrder, portPath } from './dispatch-paths.ts'
import type { Branch, Leaf } from './dispatch-tree.ts'
import type { Rule, Target } from './rule.ts'

/** A leaf and its place: in which tree, and on which way. */
export interface PlacedLeaf {
  readonly root: RootName
  readonly path: readonly Branch[]
  readonly leaf: Leaf
}

/** What one service puts into the dispatch trees of a family. */
export function serviceLeaves(plan: ServicePlan, family: Family): readonly PlacedLeaf[] {
  const leaves: PlacedLeaf[] = []
  const refusedAddresses = new Set<string>()
  for (const frontend of plan.frontends) {
    if (frontend.family !== family) continue
    const { address } = frontend
    if (address === undefined) addNodePort(leaves, frontend)
    else {
      addAddress(leaves, frontend, address)
      if (frontend.kind === 'cluster-ip') refusedAddresses.add(address)
    }
  }
  for (const address of refusedAddresses) leaves.push(otherPorts(plan.service, address))
  // Health checks come over either family.
  if (plan.health !== undefined) leaves.push(healthPort(plan.service, plan.health.port))
  return leaves
}

const titles: Readonly<Record<Frontend['kind'], string>> = {
  'cluster-ip': 'cluster IP',
  'external-ip': 'external IP',
  'load-balancer': 'loadbalancer IP',
  'node-port': 'node port',
}

function addAddress(leaves: PlacedLeaf[], frontend: Frontend, address: string): void {
  const match = frontendMatch(frontend)
  const order = `${addressDigits(address)} ${portOrder(frontend.protocol, frontend.port)}`
  const rules: Rule[] = []
  if (isBalanced(frontend)) {
    rules.push({
      ...match,
      comment: `${portTitle(frontend)} ${titles[frontend.kind]}`,
      target: { kind: 'jump', chain: entryChain(frontend) },
    })
  }
  // What is refused here must not become a node port's, when the address is also one of this node.
  if (isRefused(frontend)) rules.push({ ...match, target: { kind: 'accept' } })
  leaves.push({ root: 'services', path: addressPath('IP', address), leaf: { order, rules } })
  if (frontend.sourceRanges !== undefined) {
    const path = addressPath('FIP', address)
    leaves.push({ root: 'refusedSources', path, leaf: { order, rules: refusedSources(frontend) } })
    return
  }
  const refusal = refuse(frontend)
  if (refusal === undefined) return
  const isCluster = frontend.kind === 'cluster-ip'
  leaves.push({
    root: isCluster ? 'refusedServices' : 'refusedExternal',
    path: addressPath(isCluster ? 'IP' : 'XIP', address),
    leaf: { order, rules: [{ ...match, ...refusal }] },
  })
}

function addNodePort(leaves: PlacedLeaf[], frontend: Frontend): void {
  const { protocol, port } = frontend
  const match = frontendMatch(frontend)
  const order = portOrder(protocol, port)
  if (isBalanced(frontend)) {
    const rule: Rule = {
      ...match,
      comment: portTitle(frontend),
      target: { kind: 'jump', chain: entryChain(frontend) },
    }
    const path = portPath('NP', protocol, port)
    leaves.push({ root: 'nodePorts', path, leaf: { order, rules: [rule] } })
  }
  const refusal = refuse(frontend)
  if (refusal === undefined) return
  const path = portPath('XNP', protocol, port)
  leaves.push({ root: 'refusedPorts', path, leaf: { order, rules: [{ ...match, ...refusal }] } })
}

/** Whether some packets to the frontend are not translated. */
function isRefused({ actions, sourceRanges }: Frontend): boolean {
  return sourceRanges !== undefined || actions.outside.kind !== 'balance'
}

/** What happens to packets that the nat table has left as they were. */
function refuse(frontend: Frontend): Pick<Rule, 'comment' | 'target'> | undefined {
  const title = portTitle(frontend)
  switch (frontend.actions.outside.kind) {
    case 'balance':
      return undefined
    case 'drop':
      return { comment: `${title} has no local endpoints`, target: { kind: 'drop' } }
    case 'reject':
      return { comment: `${title} has no endpoints`, target: rejection(frontend) }
  }
}

/** Kernels limit the rate of ICMPv6 errors; resets are not limited, so IPv6 TCP gets one. */
function rejection({ family, protocol }: Pick<Frontend, 'family' | 'protocol'>): Target {
  const isReset = family === 6 && protocol === 'TCP'
  return { kind: 'reject', answer: isReset ? 'reset' : 'unreachable' }
}

/** Packets from the allowed ranges are translated already, unless there is nowhere to go. */
function refusedSources(frontend: Frontend): readonly Rule[] {
  const match = frontendMatch(frontend)
  const chain = portChainName('FW', frontend)
  const refusal = refuse(frontend)
  const admitted =
    refusal === undefined || refusal.target.kind === 'drop'
      ? []
      : (frontend.sourceRanges ?? []).map(
          (value): Rule => ({ source: { value }, ...match, ...refusal }),
        )
  const comment = `${portTitle(frontend)} traffic not accepted by ${chain}`
  return [...admitted, { ...match, comment, target: { kind: 'drop' } }]
}

/** Ports of a cluster address that its service does not have. */
function otherPorts(service: string, address: string): PlacedLeaf {
  const destination = { value: hostPrefix(address) }
  const { family } = destination.value
  const comment = `${service} has no such port`
  const reset: Rule = {
    destination,
    protocol: 'TCP',
    comment,
    target: rejection({ family, protocol: 'TCP' }),
  }
  const rest: Rule = { destination, comment, target: rejection({ family, protocol: 'UDP' }) }
  return {
    root: 'refusedServices',
    path: addressPath('IP', address),
    // Behind all ports of the address: `~` is greater than the letters of protocols.
    leaf: {
      order: `${addressDigits(address)} ~ ${service}`,
      rules: family === 6 ? [reset, rest] : [rest],
    },
  }
}

function healthPort(service: string, port: number): PlacedLeaf {
  const protocol: Protocol = 'TCP'
  const rule: Rule = {
    protocol,
    port,
    comment: `${service} health check node port`,
    target: { kind: 'accept' },
  }
  return {
    root: 'healthPorts',
    path: portPath('HNP', protocol, port),
    leaf: { order: `${portOrder(protocol, port)} ${service}`, rules: [rule] },
  }
}
