/** Closes a switch over a tagged union: the compiler refuses a call while a case is missing. */
export function never(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`)
}
