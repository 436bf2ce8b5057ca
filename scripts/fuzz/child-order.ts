/** Which inputs a child process runs. */
export interface ChildOrder {
  readonly target: string
  readonly seed: number
  /** Number of the first input, and how many. */
  readonly first: number
  readonly count: number
  /** Holds one 32-bit integer: the number of the input that runs. */
  readonly progressFile: string
}
