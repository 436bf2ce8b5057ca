/** A failure that the user can do something about; the message says what, where and what to do in one
 *  line. `usage`: the command line is wrong (exit code 2), else exit code 1. */
export class CliError extends Error {
  readonly code = 'PORTOLAN_CLI'
  readonly isUsage: boolean

  constructor(message: string, options: { readonly isUsage: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause })
    this.name = 'CliError'
    this.isUsage = options.isUsage
  }
}

/** A wrong command line. */
export function usageError(message: string): CliError {
  return new CliError(message, { isUsage: true })
}

/** A failure outside the command line, with what led to it. */
export function failure(message: string, cause?: unknown): CliError {
  return new CliError(message, { isUsage: false, cause })
}
