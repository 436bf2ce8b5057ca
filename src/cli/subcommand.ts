/** 0: done; 1: it failed, or (diff) there is a difference; 2: the command line is wrong. */
export type ExitCode = 0 | 1 | 2

/** One option of a subcommand, as data. */
export interface CommandOption {
  /** Without the dashes. */
  readonly name: string
  readonly short?: string
  /** Placeholder of the value in the help; undefined: a switch. */
  readonly value?: string
  /** The value is optional and means `true` when it is left out. */
  readonly isSwitch?: boolean
  /** Repeated options are joined by commas instead of replacing each other. */
  readonly isList?: boolean
  /** Groups the help; undefined: the main group. */
  readonly group?: string
  readonly summary: string
}

/** One positional argument. */
export interface CommandArgument {
  readonly name: string
  readonly summary: string
  /** It may be left out, and all behind it. */
  readonly isOptional?: boolean
}

/** What was typed: texts by option name, switches as `true`. */
export interface CommandInput {
  readonly texts: Readonly<Record<string, string>>
  readonly arguments: readonly string[]
}

/** Where a command prints, and what it may know of its surroundings. */
export interface CliIo {
  readonly out: (text: string) => void
  readonly error: (text: string) => void
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly hostname: string
}

/** One subcommand of `portolan`. `run` ends when the signal is aborted. */
export interface Subcommand {
  readonly name: string
  readonly summary: string
  /** Shown below the options in the help: examples and what it needs. */
  readonly notes?: string
  readonly arguments?: readonly CommandArgument[]
  readonly options: readonly CommandOption[]
  run(input: CommandInput, io: CliIo, signal: AbortSignal): Promise<ExitCode>
}
