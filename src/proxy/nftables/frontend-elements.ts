import type { SetElement } from '../../netlink/nftables/objects.ts'
import {
  addressKey,
  frontendKey,
  hostWordString,
  nodePortKey,
  sourceRangeElements,
} from '../../ruleset/element-keys.ts'
import type { Action, Frontend, Pool, ServicePlan } from '../plan/plan.ts'
import type { FamilyLayout } from './family-layout.ts'
import { discardPool, refusePool } from './kinds.ts'

/** Number of a pool of the service in the table. */
export type PoolNumbers = (pool: Pool) => number

type Visit = (set: string, element: SetElement) => void

/** Calls back for every element that a service's frontends of one family need, pools excepted. The same
 *  element may come twice (a cluster address with several ports). */
export function forEachFrontendElement(
  layout: FamilyLayout,
  plan: ServicePlan,
  numbers: PoolNumbers,
  visit: Visit,
): void {
  for (const frontend of plan.frontends) {
    if (frontend.family === layout.family) visitFrontend(frontend, numbers, visit)
  }
}

function visitFrontend(frontend: Frontend, numbers: PoolNumbers, visit: Visit): void {
  const { address, protocol, port } = frontend
  const isNodePort = address === undefined
  const key = isNodePort ? nodePortKey(protocol, port) : frontendKey(address, protocol, port)
  const comment =
    frontend.portName === '' ? frontend.service : `${frontend.service}:${frontend.portName}`
  const { pod, node, outside } = frontend.actions
  const outsidePool = poolOf(outside, numbers)
  const insidePool = poolOf(node, numbers)
  if (insidePool !== poolOf(pod, numbers)) {
    throw new Error(`frontend ${comment}: pods and the node must be sent to the same pool`)
  }
  visit(isNodePort ? 'nodeports' : 'frontends', {
    key,
    value: hostWordString(outsidePool),
    comment,
  })
  if (insidePool !== outsidePool) {
    const set = isNodePort ? 'nodeport-short-cuts' : 'short-cuts'
    visit(set, { key, value: hostWordString(insidePool), comment })
  }
  if (frontend.kind === 'cluster-ip') {
    if (address !== undefined) {
      visit('cluster-addresses', { key: addressKey(address), comment: frontend.service })
    }
  } else {
    const set = masqueradeSet(frontend)
    if (set !== undefined) visit(set, { key, comment })
  }
  if (frontend.sourceRanges === undefined || isNodePort) return
  visit('restricted', { key, comment })
  for (const element of sourceRangeElements(key, frontend.sourceRanges, comment)) {
    visit('source-ranges', element)
  }
}

/** Cluster addresses are masqueraded by constant rules, other frontends by being in one of these sets. */
function masqueradeSet(frontend: Frontend): string | undefined {
  const { pod, node, outside } = frontend.actions
  const suffix = frontend.address === undefined ? 'nodeports' : 'all'
  if (isAlways(pod) || isAlways(outside)) return `masquerade-${suffix}`
  if (!isAlways(node)) return undefined
  return frontend.address === undefined ? 'masquerade-node-nodeports' : 'masquerade-node'
}

function isAlways(action: Action): boolean {
  return action.kind === 'balance' && action.masquerade === 'always'
}

function poolOf(action: Action, numbers: PoolNumbers): number {
  switch (action.kind) {
    case 'balance':
      return numbers(action.pool)
    case 'reject':
      return refusePool
    case 'drop':
      return discardPool
  }
}
