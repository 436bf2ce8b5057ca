import { type Frontend, type FrontendKind, frontendKey, type ServicePlan } from './plan.ts'
import { listsEqual, sameFrontend } from './plan-equality.ts'

interface Claim {
  readonly service: string
  readonly kind: FrontendKind
}

/** Which services ask for which address and port, and who gets it when several do. The winner depends on
 *  the claims alone, never on their order in time: cluster addresses before load-balancer addresses before
 *  external ones (nobody can take over a cluster address by naming it an external one), then the service
 *  whose `namespace/name` comes first as text. kube-proxy leaves it to the order of a hash map. */
export class FrontendClaims {
  /** By frontend key; a list only where there is more than one claim. */
  readonly #claims = new Map<string, Claim | readonly Claim[]>()
  #contestedCount = 0

  /** Replaces the claims of one service. Other services whose frontends may have changed by that are added
   *  to `affected`. */
  replace(before: readonly Frontend[], after: readonly Frontend[], affected: Set<string>): void {
    if (listsEqual(before, after, sameFrontend)) return
    for (const frontend of before) this.#remove(frontend, affected)
    for (const frontend of after) this.#add(frontend, affected)
  }

  /** The plan without the frontends, and their pools, that other services have won; the plan itself when
   *  it keeps all. */
  resolve(plan: ServicePlan): ServicePlan {
    if (this.#contestedCount === 0) return plan
    const won = plan.frontends.filter((frontend) => this.#isWinner(frontend))
    if (won.length === plan.frontends.length) return plan
    const named = new Set(
      won.flatMap(({ actions }) =>
        Object.values(actions).map((action) => (action.kind === 'balance' ? action.pool : action)),
      ),
    )
    return { ...plan, frontends: won, pools: plan.pools.filter((pool) => named.has(pool)) }
  }

  #add(frontend: Frontend, affected: Set<string>): void {
    const key = frontendKey(frontend)
    const present = this.#claims.get(key)
    const claim = { service: frontend.service, kind: frontend.kind }
    if (present === undefined) {
      this.#claims.set(key, claim)
      return
    }
    const others = isList(present) ? present : [present]
    if (others.length === 1) this.#contestedCount++
    for (const other of others) affected.add(other.service)
    this.#claims.set(key, [...others, claim])
  }

  #remove(frontend: Frontend, affected: Set<string>): void {
    const key = frontendKey(frontend)
    const present = this.#claims.get(key)
    if (present === undefined || !isList(present)) {
      this.#claims.delete(key)
      return
    }
    const others = present.filter((claim) => claim.service !== frontend.service)
    for (const other of others) affected.add(other.service)
    const [last, ...more] = others
    if (last !== undefined && more.length === 0) {
      this.#contestedCount--
      this.#claims.set(key, last)
    } else this.#claims.set(key, others)
  }

  #isWinner(frontend: Frontend): boolean {
    const present = this.#claims.get(frontendKey(frontend))
    if (present === undefined || !isList(present)) return true
    const winner = present.reduce((best, claim) => (isBefore(claim, best) ? claim : best))
    return winner.service === frontend.service
  }
}

const kindRanks: Readonly<Record<FrontendKind, number>> = {
  'cluster-ip': 0,
  'load-balancer': 1,
  'external-ip': 2,
  'node-port': 3,
}

function isBefore(left: Claim, right: Claim): boolean {
  const difference = kindRanks[left.kind] - kindRanks[right.kind]
  return difference !== 0 ? difference < 0 : left.service < right.service
}

function isList(claims: Claim | readonly Claim[]): claims is readonly Claim[] {
  return Array.isArray(claims)
}
