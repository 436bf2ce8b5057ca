import { mutateBytes } from './mutate-bytes.ts'
import { type JsonValue, mutateValue } from './mutate-value.ts'
import { Random } from './random.ts'

/** A decoder under attack. It may give a value or refuse with its own error; all else is a finding. */
export interface FuzzTarget {
  readonly name: string
  /** Part of all runs that this target gets, relative to the others. */
  readonly share: number
  /** At least so many inputs in `npm test` and in `npm run fuzz`, whatever the share: for what anybody can
   *  send to a server. */
  readonly leastRuns?: { readonly test: number; readonly fuzz: number }
  /** Makes one input. */
  make(random: Random): Uint8Array | string | JsonValue
  /** Decodes it. Throws only what `isRefusal` knows. */
  decode(input: ReturnType<FuzzTarget['make']>): void
  isRefusal(error: unknown): boolean
}

/** An input that a decoder neither took nor refused. */
export interface Finding {
  readonly target: string
  readonly seed: number
  /** Number of the input; `--only TARGET --seed SEED --at INDEX` makes it again. */
  readonly index: number
  readonly input: string
  readonly error: string
}

/** A target whose inputs are changed bytes. */
export function bytesTarget(
  target: Pick<FuzzTarget, 'name' | 'share' | 'leastRuns' | 'isRefusal'> & {
    readonly samples: readonly Uint8Array[]
    decode(input: Uint8Array): void
  },
): FuzzTarget {
  return {
    ...target,
    make: (random) => mutateBytes(target.samples, random),
    decode: (input) => target.decode(input as Uint8Array),
  }
}

/** A target whose inputs are texts, changed as bytes and read as UTF-8. */
export function textTarget(
  target: Pick<FuzzTarget, 'name' | 'share' | 'isRefusal'> & {
    readonly samples: readonly string[]
    decode(input: string): void
  },
): FuzzTarget {
  const samples = target.samples.map((sample) => Buffer.from(sample))
  return {
    ...target,
    make: (random) => Buffer.from(mutateBytes(samples, random)).toString(),
    decode: (input) => target.decode(input as string),
  }
}

/** A target whose inputs are parsed JSON with strange members. */
export function valueTarget(
  target: Pick<FuzzTarget, 'name' | 'share' | 'isRefusal'> & {
    readonly samples: readonly JsonValue[]
    decode(input: JsonValue): void
  },
): FuzzTarget {
  return {
    ...target,
    make: (random) => mutateValue(target.samples, random),
    decode: (input) => target.decode(input as JsonValue),
  }
}

/** An input may take this long, milliseconds; a decoder that needs more can be made to hang. */
const slowInputMs = 1000

/** Runs input number `index` of a seed; gives the finding, if it is one. */
export function runInput(target: FuzzTarget, seed: number, index: number): Finding | undefined {
  const input = target.make(new Random(Math.imul(seed, 0x9e3779b1) ^ index))
  const finding = (error: string): Finding => ({
    target: target.name,
    seed,
    index,
    input: showInput(input),
    error,
  })
  const start = performance.now()
  try {
    target.decode(input)
  } catch (error) {
    if (!target.isRefusal(error)) {
      return finding(error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
  }
  const tookMs = performance.now() - start
  return tookMs > slowInputMs ? finding(`took ${Math.round(tookMs)} ms`) : undefined
}

function showInput(input: ReturnType<FuzzTarget['make']>): string {
  const text =
    input instanceof Uint8Array ? Buffer.from(input).toString('hex') : JSON.stringify(input)
  return text.length <= 2000 ? text : `${text.slice(0, 2000)}... (${text.length} characters)`
}
