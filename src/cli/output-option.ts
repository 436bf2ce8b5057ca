import { usageError } from './cli-error.ts'
import type { CliIo, CommandInput, CommandOption } from './subcommand.ts'

/** `--output text|json`, the same in every command that prints a value. */
export const outputOption: CommandOption = {
  name: 'output',
  short: 'o',
  value: 'FORMAT',
  summary: 'text (default) or json',
}

/** Prints one value as JSON or in its text form, as asked. Throws a usage error for other formats. */
export function printValue<T>(
  input: CommandInput,
  io: CliIo,
  value: T,
  format: (value: T) => string,
): void {
  io.out(
    outputFormat(input) === 'json' ? `${JSON.stringify(value, undefined, 2)}\n` : format(value),
  )
}

/** The asked format. Throws a usage error for an unknown one. */
export function outputFormat(input: CommandInput): 'text' | 'json' {
  const format = input.texts.output ?? 'text'
  if (format === 'text' || format === 'json') return format
  throw usageError(`--output: got "${format}", expected text or json`)
}
