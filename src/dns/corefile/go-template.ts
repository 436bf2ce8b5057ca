import {
  type Expression,
  evaluate,
  isTrue,
  parsePipeline,
  type TemplateValue,
} from './go-expression.ts'

/** A compiled template: text, values, and branches. */
export type Template = readonly TemplateNode[]

type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly expression: Expression }
  | {
      readonly kind: 'if'
      readonly condition: Expression
      readonly then: Template
      readonly otherwise: Template
    }

/** Compiles the part of Go's text/template that records need: fields (`{{ .Name }}`, `{{ .Group.a }}`),
 *  functions (index, len, print, printf, parseInt, comparisons, and, or, not), pipelines, if and else, and
 *  trimming. A text is what is wrong with it. */
export function compileTemplate(source: string): Template | string {
  const pieces = splitActions(source)
  if (typeof pieces === 'string') return pieces
  const parser: Parser = { pieces, index: 0 }
  const template = parseNodes(parser)
  if (typeof template === 'string') return template
  const rest = parser.pieces[parser.index]
  return rest === undefined ? template : `unexpected {{${rest.text}}}`
}

/** The text that a template gives; undefined when a value is missing or of the wrong kind. */
export function executeTemplate(template: Template, dot: TemplateValue): string | undefined {
  let text = ''
  for (const node of template) {
    if (node.kind === 'text') text += node.text
    else if (node.kind === 'value') {
      const value = evaluate(node.expression, dot)
      if (value === undefined) return undefined
      text += formatValue(value)
    } else {
      const condition = evaluate(node.condition, dot)
      if (condition === undefined) return undefined
      const branch = executeTemplate(isTrue(condition) ? node.then : node.otherwise, dot)
      if (branch === undefined) return undefined
      text += branch
    }
  }
  return text
}

/** Text between actions, or what stands in one. */
interface Piece {
  readonly isAction: boolean
  readonly text: string
}

interface Parser {
  readonly pieces: readonly Piece[]
  index: number
}

/** Cuts at `{{` and `}}`; `{{- ` and ` -}}` take the white space beside them away. */
function splitActions(source: string): readonly Piece[] | string {
  const pieces: Piece[] = []
  let rest = source
  for (;;) {
    const start = rest.indexOf('{{')
    if (start < 0) {
      if (rest.includes('}}')) return 'a }} closes nothing'
      if (rest !== '') pieces.push({ isAction: false, text: rest })
      return pieces
    }
    const end = rest.indexOf('}}', start)
    if (end < 0) return 'an action is never closed with }}'
    const action = rest.slice(start + 2, end)
    const before = rest.slice(0, start)
    const text = action.startsWith('- ') ? before.trimEnd() : before
    if (text !== '') pieces.push({ isAction: false, text })
    pieces.push({ isAction: true, text: action.replace(/^- | -$/g, '').trim() })
    rest = rest.slice(end + 2)
    if (action.endsWith(' -')) rest = rest.trimStart()
  }
}

/** Nodes up to `else` or `end`, which are left. */
function parseNodes(parser: Parser): Template | string {
  const nodes: TemplateNode[] = []
  for (;;) {
    const piece = parser.pieces[parser.index]
    if (piece === undefined || isBranchEnd(piece)) return nodes
    parser.index++
    if (!piece.isAction) {
      nodes.push({ kind: 'text', text: piece.text })
      continue
    }
    if (piece.text.startsWith('/*')) continue
    const node = piece.text.startsWith('if ') ? parseIf(parser, piece) : parseValue(piece.text)
    if (typeof node === 'string') return node
    nodes.push(node)
  }
}

function isBranchEnd({ isAction, text }: Piece): boolean {
  return isAction && (text === 'end' || text === 'else' || text.startsWith('else '))
}

function parseValue(text: string): TemplateNode | string {
  const expression = parsePipeline(text)
  return typeof expression === 'string' ? expression : { kind: 'value', expression }
}

function parseIf(parser: Parser, piece: Piece): TemplateNode | string {
  const condition = parsePipeline(piece.text.slice('if '.length))
  if (typeof condition === 'string') return condition
  const then = parseNodes(parser)
  if (typeof then === 'string') return then
  const branch = parser.pieces[parser.index++]
  if (branch?.text === 'end') return { kind: 'if', condition, then, otherwise: [] }
  if (branch?.text.startsWith('else if ') === true) {
    const nested = parseIf(parser, { ...branch, text: branch.text.slice('else '.length) })
    return typeof nested === 'string'
      ? nested
      : { kind: 'if', condition, then, otherwise: [nested] }
  }
  if (branch?.text !== 'else') return 'an if is never ended'
  const otherwise = parseNodes(parser)
  if (typeof otherwise === 'string') return otherwise
  return parser.pieces[parser.index++]?.text === 'end'
    ? { kind: 'if', condition, then, otherwise }
    : 'an if is never ended'
}

function formatValue(value: TemplateValue): string {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(' ')}]`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
