import { readHostWord } from '../../ruleset/element-keys.ts'
import type { ServicePlan } from '../plan/plan.ts'
import { affinityOfKind } from './kinds.ts'
import type { KernelTable } from './read.ts'

/** Every table has chains for the API's default (core/v1 DefaultClientIPServiceAffinitySeconds). */
const usualAffinitySeconds = 10_800

/** The affinity timeouts that a table needs chains for, in ascending order. Chains of timeouts that are
 *  no longer in use are kept: they cost nothing, and making them anew makes the kernel walk the maps. */
export function affinityTimeouts(
  services: Iterable<ServicePlan>,
  kernel: KernelTable | undefined,
): readonly number[] {
  const seconds = new Set([usualAffinitySeconds])
  for (const service of services) {
    for (const pool of service.pools)
      if (pool.affinitySeconds > 0) seconds.add(pool.affinitySeconds)
  }
  for (const key of kernel?.elements.get('kinds')?.keys() ?? []) {
    const kept = affinityOfKind(readHostWord(key))
    if (kept !== undefined && kept > 0) seconds.add(kept)
  }
  return [...seconds].sort((left, right) => left - right)
}
