import type { Row } from '../support/benchmark.ts'
import { percentile, significant } from '../support/percentile.ts'
import type { Figure } from './relay-works.ts'

/** Values of one metric of one subject over all rounds. */
export interface Sample {
  readonly subject: string
  readonly work: string
  readonly figure: Omit<Figure, 'value'>
  readonly values: readonly number[]
}

/** Medians, those that compare together, with their ratio to those of the reference where it has them. */
export function compareSamples(
  samples: readonly Sample[],
  reference: { readonly subject: string; readonly title: string },
): readonly Row[] {
  const groups = Map.groupBy(samples, ({ work, figure }) => `${work}\n${figure.metric}`)
  return [...groups.values()].flatMap((group) => {
    const medians = group.map(({ values }) => percentile([...values], 50))
    const compared = medians[group.findIndex(({ subject }) => subject === reference.subject)] ?? 0
    return group.map(({ subject, work, figure: { metric, unit } }, index): Row => {
      const value = medians[index] ?? 0
      const row = { subject, work, metric, unit, value: significant(value) }
      if (compared <= 0) return row
      return { ...row, ratio: { to: reference.title, value: significant(value / compared) } }
    })
  })
}
