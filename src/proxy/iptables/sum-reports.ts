import type { SyncReport } from '../port/mechanism.ts'

/** One report for several. */
export function sumReports(reports: readonly SyncReport[]): SyncReport {
  const total = { transactions: 0, operations: 0, bytes: 0 }
  for (const { transactions, operations, bytes } of reports) {
    total.transactions += transactions
    total.operations += operations
    total.bytes += bytes
  }
  return total
}
