import { type Family, familyOf } from '../../net/address.ts'
import type { NodeIdentity, NodePlan, PodDetector } from './plan.ts'

/** All that planning a service needs to know besides the service and its endpoints. */
export interface PlanContext {
  readonly identity: NodeIdentity
  readonly node: NodePlan
}

/** Whether pods can be told from other sources in this family. Prefixes are given per family: a detector
 *  with IPv4 prefixes only detects nothing in IPv6. */
export function detectsPods(detector: PodDetector, family: Family): boolean {
  if (detector.kind === 'prefixes') {
    return detector.prefixes.some((prefix) => prefix.family === family)
  }
  return detector.kind === 'interface'
}

/** The node's main address of a family; undefined when it has none. */
export function mainAddress(identity: NodeIdentity, family: Family): string | undefined {
  return identity.addresses.find((address) => familyOf(address) === family)
}
