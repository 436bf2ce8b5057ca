import { acceptedDifferences } from './accepted-differences.ts'

interface Count {
  equal: number
  different: number
  readonly accepted: Map<string, number>
}

/** Counts what a run compared. */
export class Tally {
  readonly #subjects = new Map<string, Count>()
  readonly #originals = new Map<string, number>()
  #originalFlows = 0
  #plans = 0
  #planFaults = 0

  addPlans(count: number, faultCount: number): void {
    this.#plans += count
    this.#planFaults += faultCount
  }

  addEqual(subject: string): void {
    this.#count(subject).equal++
  }

  addDifferent(subject: string): void {
    this.#count(subject).different++
  }

  addAccepted(subject: string, id: string): void {
    increment(this.#count(subject).accepted, id)
  }

  /** A flow that was asked of both originals; `id` is the class of their difference. */
  addOriginal(id: string | undefined): void {
    this.#originalFlows++
    if (id !== undefined) increment(this.#originals, id)
  }

  /** Comparisons of plans and of verdicts. */
  get total(): number {
    let sum = this.#plans
    for (const count of this.#subjects.values()) {
      sum += count.equal + count.different + acceptedOf(count)
    }
    return sum
  }

  /** Those that were equal or whose difference is accepted. */
  get equal(): number {
    let sum = this.#plans - this.#planFaults
    for (const count of this.#subjects.values()) sum += count.equal + acceptedOf(count)
    return sum
  }

  /** The report; the last line is `golden proxy: EQUAL of TOTAL`. */
  lines(): readonly string[] {
    const lines = [`plans: ${this.#plans - this.#planFaults} of ${this.#plans} equal`]
    const used = new Set<string>()
    let accepted = 0
    for (const [name, count] of this.#subjects) {
      const flows = count.equal + count.different + acceptedOf(count)
      accepted += acceptedOf(count)
      lines.push(`${name}: ${flows} flows, ${count.equal} equal, ${count.different} different`)
      for (const [id, times] of count.accepted) {
        used.add(id)
        lines.push(`  accepted ${id}: ${times}`)
      }
    }
    lines.push(...this.#originalLines())
    for (const { id } of acceptedDifferences) {
      if (!used.has(id)) lines.push(`unused accepted difference: ${id}`)
    }
    lines.push(`accepted differences: ${accepted}`)
    lines.push(`golden proxy: ${this.equal} of ${this.total}`)
    return lines
  }

  #originalLines(): readonly string[] {
    const lines = [`originals: nftables and iptables mode asked for ${this.#originalFlows} flows`]
    for (const [id, times] of this.#originals) lines.push(`  originals differ, ${id}: ${times}`)
    return lines
  }

  #count(subject: string): Count {
    const known = this.#subjects.get(subject)
    if (known !== undefined) return known
    const count: Count = { equal: 0, different: 0, accepted: new Map() }
    this.#subjects.set(subject, count)
    return count
  }
}

function acceptedOf({ accepted }: Count): number {
  return [...accepted.values()].reduce((sum, times) => sum + times, 0)
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
