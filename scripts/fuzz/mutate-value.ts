import type { Random } from './random.ts'

/** What JSON and YAML can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue }

const strangers: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  65_535,
  65_536,
  2 ** 31,
  2 ** 53,
  1e308,
  '',
  ' ',
  '0',
  '-1',
  '080',
  '10.0.0.1',
  '10.0.0.01',
  '1.2.3',
  '::',
  '::ffff:10.0.0.1',
  'fe80::1%eth0',
  '10.0.0.0/33',
  '0.0.0.0/0',
  'None',
  'TCP',
  'tcp',
  '__proto__',
  '\u0000',
  '\ud800',
  '\u{1f980}',
  'x'.repeat(300),
  [],
  {},
  [[]],
  [null],
  { '': null },
]

const memberNames = ['', '__proto__', 'constructor', 'metadata', 'spec', 'ports', 'name', 'kind']

/** A deep copy of a sample in which a few places hold something else. */
export function mutateValue(samples: readonly JsonValue[], random: Random): JsonValue {
  let value = random.pick(samples)
  for (let left = 1 + random.below(4); left > 0; left--) value = change(value, samples, random)
  return value
}

function change(value: JsonValue, samples: readonly JsonValue[], random: Random): JsonValue {
  if (Array.isArray(value)) return changeList(value, samples, random)
  if (typeof value !== 'object' || value === null) return leaf(value, samples, random)
  const entries = Object.entries(value)
  if (entries.length === 0 || random.below(12) === 0) return leaf(value, samples, random)
  const at = random.below(entries.length)
  const choice = random.below(10)
  if (choice === 0) entries.splice(at, 1)
  else if (choice === 1) entries.push([random.pick(memberNames), random.pick(strangers)])
  else {
    const [name, member] = entries[at] ?? ['', null]
    entries[at] = [name, change(member, samples, random)]
  }
  return Object.fromEntries(entries)
}

function changeList(
  list: readonly JsonValue[],
  samples: readonly JsonValue[],
  random: Random,
): JsonValue {
  if (list.length === 0 || random.below(12) === 0) return leaf(list, samples, random)
  const copy = [...list]
  const at = random.below(copy.length)
  const item = copy[at] ?? null
  const choice = random.below(10)
  if (choice === 0) copy.splice(at, 1)
  else if (choice === 1) copy.push(item)
  else copy[at] = change(item, samples, random)
  return copy
}

function leaf(value: JsonValue, samples: readonly JsonValue[], random: Random): JsonValue {
  if (random.below(20) === 0) return random.pick(samples)
  if (typeof value === 'string' && value !== '' && random.below(2) === 0) {
    const at = random.below(value.length)
    const letter = String.fromCharCode(random.below(128))
    return value.slice(0, at) + letter + value.slice(at + random.below(2))
  }
  if (typeof value === 'number' && random.below(2) === 0) return value + random.below(3) - 1
  return random.pick(strangers)
}
