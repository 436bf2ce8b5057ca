/** What one check or test file came to. */
export interface Outcome {
  readonly title: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly output: string
}

/** Reads the figures that uvu prints. A check counts as one test. A file that ends without having run
 *  or skipped a test, or with an exit code that its figures do not explain, has failed. */
export function countOutcome(
  title: string,
  code: number,
  output: string,
  isCheck: boolean,
): Outcome {
  if (isCheck) {
    return { title, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0, output }
  }
  const figure = (name: string): number =>
    [...output.matchAll(new RegExp(`^\\s+${name}:\\s+(\\d+)`, 'gm'))].reduce(
      (sum, match) => sum + Number(match[1]),
      0,
    )
  const passed = figure('Passed')
  const skipped = figure('Skipped')
  const failed = figure('Total') - passed
  if (passed + failed + skipped === 0) {
    return { title, passed, failed: 1, skipped, output: `${output}\n${title}: ran no test\n` }
  }
  return { title, passed, failed: code !== 0 && failed === 0 ? 1 : failed, skipped, output }
}
