import { randomFillSync } from 'node:crypto'

/** Numbers that are made at once: asking the system for each costs more than the query. */
const pool = new Uint32Array(256)
let next = pool.length

/** A number from 0 up to, but not, 1 that nobody can guess: for ids, ports and cases of names. */
export function secureRandom(): number {
  if (next === pool.length) {
    randomFillSync(pool)
    next = 0
  }
  return (pool[next++] ?? 0) / 0x1_0000_0000
}
