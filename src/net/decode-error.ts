/** One fault of a decoded input: where, what was found, what was expected. */
export interface Fault {
  readonly path: readonly (string | number)[]
  readonly value: unknown
  readonly expected: string
}

/** A bad external input, with all its faults. `source` names the file, object or message. */
export class DecodeError extends Error {
  readonly code = 'PORTOLAN_DECODE'
  readonly source: string
  readonly faults: readonly Fault[]

  constructor(source: string, faults: readonly Fault[]) {
    super(`${source}: ${faults.map(formatFault).join('; ')}`)
    this.name = 'DecodeError'
    this.source = source
    this.faults = faults
  }
}

/** `clusterCIDRs[1]: got "10.0.0.0/33", expected a prefix length 0..32` */
export function formatFault(fault: Fault): string {
  const path = fault.path
    .map((step, index) =>
      typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`,
    )
    .join('')
  return `${path === '' ? 'document' : path}: got ${abbreviate(fault.value)}, expected ${fault.expected}`
}

/** Faults are read by people: a value is shown as JSON and never longer than this many characters. */
const shownCharacters = 80

function abbreviate(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value))
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}...`
}
