import { Command, CommanderError, Option } from 'commander'
import { usageError } from './cli-error.ts'
import type { CommandInput, CommandOption, Subcommand } from './subcommand.ts'

/** What the user asked for: a subcommand with its input, or text to print (help, version). */
export type ParsedCommandLine =
  | { readonly kind: 'run'; readonly command: Subcommand; readonly input: CommandInput }
  | { readonly kind: 'print'; readonly text: string }

/** Decodes the arguments behind the program's name. Throws a usage error, with the nearest known word. */
export function parseCommandLine(
  commands: readonly Subcommand[],
  version: string,
  words: readonly string[],
): ParsedCommandLine {
  const printed: string[] = []
  let parsed: ParsedCommandLine | undefined
  const program = new Command('portolan')
    .description('Kubernetes service proxy: explainable, incremental, fast')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option('--debug', 'print stack traces of errors')
  restyle(program, printed)
  for (const command of commands) {
    const sub = program.command(command.name)
    define(sub, command)
    restyle(sub, printed)
    sub.action(() => {
      const input = { texts: optionTexts(sub, command.options), arguments: sub.args }
      parsed = { kind: 'run', command, input }
    })
  }
  try {
    program.parse(words.length === 0 ? ['--help'] : [...words], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode !== 0) throw usageError(oneLine(error.message))
  }
  return parsed ?? { kind: 'print', text: printed.join('') }
}

function define(sub: Command, command: Subcommand): void {
  sub.summary(command.summary).description(command.summary)
  for (const argument of command.arguments ?? []) {
    const placeholder = argument.isOptional ? `[${argument.name}]` : `<${argument.name}>`
    sub.argument(placeholder, argument.summary)
  }
  const options = [...command.options, debugOption]
  for (const option of options) sub.addOption(describeOption(option))
  if (command.notes !== undefined) sub.addHelpText('after', `\n${command.notes}`)
}

/** Also accepted behind the subcommand. */
const debugOption: CommandOption = { name: 'debug', summary: 'print stack traces of errors' }

function describeOption(option: CommandOption): Option {
  const name = option.short === undefined ? '' : `-${option.short}, `
  const placeholder = option.value === undefined ? '' : ` ${formatPlaceholder(option)}`
  const described = new Option(`${name}--${option.name}${placeholder}`, option.summary)
  if (option.isList) {
    described.argParser((value, before: unknown) =>
      typeof before === 'string' && before !== '' ? `${before},${value}` : value,
    )
  }
  if (option.group !== undefined) described.helpGroup(option.group)
  return described
}

function formatPlaceholder(option: CommandOption): string {
  return option.isSwitch ? `[${option.value}]` : `<${option.value}>`
}

function restyle(command: Command, printed: string[]): void {
  command
    .exitOverride()
    .helpOption('-h, --help', 'print this help')
    .showSuggestionAfterError(true)
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: (text) => printed.push(text),
      writeErr: (text) => printed.push(text),
      outputError: () => {},
    })
    .configureHelp({ helpWidth: 100, sortSubcommands: false, subcommandTerm: (sub) => sub.name() })
}

function optionTexts(
  sub: Command,
  options: readonly CommandOption[],
): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const { name, short } of options) {
    const value: unknown = sub.getOptionValue(new Option(`--${name}`).attributeName())
    if (value === undefined) continue
    const text = value === true ? 'true' : String(value)
    // `-v=4` reaches us with its equals sign: the original's flags allow it for short names too.
    texts[name] = short !== undefined && text.startsWith('=') ? text.slice(1) : text
  }
  return texts
}

function oneLine(message: string): string {
  return message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ')
}
