import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'

/** Structured log: a message and named values. Values never hold credentials. */
export interface Logger {
  error(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  debug(fields: LogFields, message: string): void
}

/** Named values of a log line. */
export type LogFields = Readonly<Record<string, unknown>>

/** How the log looks. */
export interface LogOptions {
  /** `json`: one object a line, for machines; `text`: one line for people. */
  readonly format: 'text' | 'json'
  /** The least important lines that are written. */
  readonly level: LogLevel
}

/** Importance of a line, most important first. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const

/** One of `logLevels`. */
export type LogLevel = (typeof logLevels)[number]

/** The level of klog's verbosity (`--v`): up to 3 information, from 4, its "debug level", everything. */
export function levelOfVerbosity(verbosity: number): LogLevel {
  return verbosity >= 4 ? 'debug' : 'info'
}

/** A log that writes lines to `write`. */
export function createLogger(options: LogOptions, write: (line: string) => void): Logger {
  const destination: DestinationStream = {
    write: options.format === 'json' ? write : (line) => write(formatLine(line)),
  }
  const logger: PinoLogger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields, censor: '(hidden)' },
    },
    destination,
  )
  return logger
}

/** A net below the rule that secrets are never logged: fields of these names, at the top or one below. */
const secretFields = ['token', 'password', 'authorization', 'clientKey', 'secret'].flatMap(
  (name) => [name, `*.${name}`],
)

/** pino's JSON line as `2026-01-02T03:04:05.678Z warn  message key=value`. */
function formatLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const values = Object.entries(fields).map(([name, value]) => ` ${name}=${formatValue(value)}`)
  return `${time} ${String(level).padEnd(5)} ${msg}${values.join('')}\n`
}

function formatValue(value: unknown): string {
  return typeof value === 'string' && /^[\w./:[\]*-]+$/.test(value) ? value : JSON.stringify(value)
}
