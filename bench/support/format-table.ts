import type { Row } from './benchmark.ts'

const commonTitles = ['subject', 'work', 'metric', 'p50', 'p99', 'value', 'unit']

/** Rows as a table of text with aligned columns, without a final line break. The last column is there when
 *  subjects are compared with one of them. */
export function formatTable(rows: readonly Row[]): string {
  const reference = rows.find(({ ratio }) => ratio !== undefined)?.ratio?.to
  const titles = reference === undefined ? commonTitles : [...commonTitles, `vs ${reference}`]
  const cells = [
    titles,
    ...rows.map((row) => [
      row.subject,
      row.work,
      row.metric,
      'p50' in row ? String(row.p50) : '',
      'p99' in row ? String(row.p99) : '',
      'value' in row ? String(row.value) : '',
      row.unit,
      ...(reference === undefined
        ? []
        : [row.ratio === undefined ? '' : row.ratio.value.toFixed(2)]),
    ]),
  ]
  const widths = titles.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  )
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          (column >= 3 && column <= 5) || column === 7
            ? cell.padStart(widths[column] ?? 0)
            : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
