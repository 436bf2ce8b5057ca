/** A value in a template. */
export type TemplateValue =
  | string
  | number
  | boolean
  | readonly TemplateValue[]
  | { readonly [name: string]: TemplateValue }

/** A compiled expression. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: TemplateValue }
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'call'; readonly name: string; readonly values: readonly Expression[] }

type TemplateFunction = (...values: readonly TemplateValue[]) => TemplateValue | undefined

/** Functions of Go's text/template, and CoreDNS' parseInt. */
const functions: Readonly<Record<string, TemplateFunction>> = {
  index: (value, ...keys) =>
    keys.reduce<TemplateValue | undefined>((inner, key) => element(inner, key), value),
  len: (value) =>
    typeof value === 'string' ? Buffer.byteLength(value) : Object.keys(value ?? []).length,
  parseInt: (text, base = 10) => {
    const number = Number.parseInt(String(text), Number(base))
    return Number.isNaN(number) || number < 0 ? undefined : number
  },
  print: (...values) => values.map(String).join(''),
  printf: (format, ...values) => formatText(String(format), values),
  eq: (first, ...others) => others.some((other) => first === other),
  ne: (left, right) => left !== right,
  lt: (left, right) => compare(left, right) < 0,
  le: (left, right) => compare(left, right) <= 0,
  gt: (left, right) => compare(left, right) > 0,
  ge: (left, right) => compare(left, right) >= 0,
  and: (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  not: (value) => !isTrue(value ?? false),
}

/** Parses `WORD WORD... | WORD...`; a text is what is wrong. */
export function parsePipeline(text: string): Expression | string {
  const words = splitWords(text)
  if (words === undefined) return `${JSON.stringify(text)} is not an expression`
  let piped: Expression | undefined
  for (const stage of splitStages(words)) {
    const expression = parseCommand(stage, piped)
    if (typeof expression === 'string') return expression
    piped = expression
  }
  return piped ?? 'the action is empty'
}

/** The value of an expression; undefined when a field or an element is missing. */
export function evaluate(expression: Expression, dot: TemplateValue): TemplateValue | undefined {
  switch (expression.kind) {
    case 'literal':
      return expression.value
    case 'field':
      return expression.path.reduce<TemplateValue | undefined>(
        (value, name) => element(value, name),
        dot,
      )
    case 'call': {
      const values: TemplateValue[] = []
      for (const inner of expression.values) {
        const value = evaluate(inner, dot)
        if (value === undefined) return undefined
        values.push(value)
      }
      return functions[expression.name]?.(...values)
    }
  }
}

/** Strings, parentheses, pipes and other words. */
function splitWords(text: string): readonly string[] | undefined {
  const pattern = /\s*("(?:[^"\\]|\\.)*"|`[^`]*`|[()|]|[^\s()|"`]+)\s*/y
  const words: string[] = []
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)
    if (match === null) return undefined
    words.push(match[1] ?? '')
  }
  return words
}

/** Splits at pipes that stand outside of parentheses. */
function splitStages(words: readonly string[]): readonly (readonly string[])[] {
  const stages: string[][] = [[]]
  let depth = 0
  for (const word of words) {
    if (word === '(') depth++
    if (word === ')') depth--
    if (word === '|' && depth === 0) stages.push([])
    else stages.at(-1)?.push(word)
  }
  return stages
}

function parseCommand(
  words: readonly string[],
  piped: Expression | undefined,
): Expression | string {
  const operands: Expression[] = []
  const [head = ''] = words
  const isCall = Object.hasOwn(functions, head)
  for (let index = isCall ? 1 : 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (word === '(') {
      const end = closingIndex(words, index)
      if (end < 0) return 'a ) is missing'
      const inner = parsePipeline(words.slice(index + 1, end).join(' '))
      if (typeof inner === 'string') return inner
      operands.push(inner)
      index = end
      continue
    }
    const operand = parseOperand(word)
    if (typeof operand === 'string') return operand
    operands.push(operand)
  }
  const values = piped === undefined ? operands : [...operands, piped]
  if (isCall) return { kind: 'call', name: head, values }
  const [only, ...more] = values
  if (only === undefined) return 'the action is empty'
  return more.length === 0 ? only : `${JSON.stringify(head)} is no function`
}

function closingIndex(words: readonly string[], open: number): number {
  let depth = 0
  return words.findIndex((word, index) => {
    if (index < open) return false
    if (word === '(') depth++
    if (word === ')') depth--
    return depth === 0
  })
}

function parseOperand(word: string): Expression | string {
  if (word.startsWith('.')) {
    const path = word === '.' ? [] : word.slice(1).split('.')
    return { kind: 'field', path }
  }
  if (word.startsWith('`')) return { kind: 'literal', value: word.slice(1, -1) }
  if (word.startsWith('"')) {
    const value: unknown = JSON.parse(word)
    return { kind: 'literal', value: String(value) }
  }
  if (/^-?[0-9]+$/.test(word)) return { kind: 'literal', value: Number(word) }
  if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' }
  return `function ${JSON.stringify(word)} is not defined`
}

function element(value: TemplateValue | undefined, key: TemplateValue): TemplateValue | undefined {
  if (value === undefined || typeof value !== 'object') return undefined
  if (Array.isArray(value)) return (value as readonly TemplateValue[])[Number(key)]
  const fields = value as Readonly<Record<string, TemplateValue>>
  const name = String(key)
  return Object.hasOwn(fields, name) ? fields[name] : ''
}

function compare(left: TemplateValue | undefined, right: TemplateValue | undefined): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  const [first, second] = [String(left), String(right)]
  return first < second ? -1 : first > second ? 1 : 0
}

/** Go's truth: what is not empty, zero or false. */
export function isTrue(value: TemplateValue): boolean {
  if (typeof value === 'object') return Object.keys(value).length > 0
  return value !== '' && value !== 0 && value !== false
}

/** The verbs that names and addresses need: %s %v %d %x %X %q %%, with a width. */
function formatText(format: string, values: readonly TemplateValue[]): string {
  let index = 0
  return format.replace(
    /%(0?)([0-9]*)([svdxXq%])/g,
    (_, zero: string, width: string, verb: string) => {
      if (verb === '%') return '%'
      const text = formatVerb(verb, values[index++] ?? '')
      return text.padStart(Number(width), zero === '0' ? '0' : ' ')
    },
  )
}

function formatVerb(verb: string, value: TemplateValue): string {
  if (verb === 'q') return JSON.stringify(String(value))
  if (verb !== 'x' && verb !== 'X') return String(value)
  const hex =
    typeof value === 'number' ? value.toString(16) : Buffer.from(String(value)).toString('hex')
  return verb === 'X' ? hex.toUpperCase() : hex
}
