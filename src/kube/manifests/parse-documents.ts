import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  visit,
} from 'yaml'
import { findDoubledKey } from '../doubled-key.ts'
import { ManifestError } from './manifest-error.ts'

/** One document of a file as plain values. */
export interface ManifestDocument {
  readonly value: unknown
  /** Line of the member that the path leads to, or of the nearest one above it that exists. */
  lineOf(path: readonly (string | number)[]): number
}

/** Parses YAML documents or one JSON value. Throws a ManifestError with the line of the first
 *  fault. */
export function parseDocuments(file: string, text: string): readonly ManifestDocument[] {
  const json = parseJson(text)
  if (json !== undefined) return [{ value: json, lineOf: (path) => jsonLine(file, text, path) }]
  return parseYaml(file, text)
}

/** Above this size a JSON file is not parsed a second time only to find the line of a fault. */
const maxRelocatedCharacters = 1_048_576

/** The YAML library needs about 2 s for a MiB, while nothing else happens; JSON takes 0.01 s. */
const maxYamlCharacters = 8 * 1_048_576

/** Aliases in one document that are expanded; more is an attack ("billion laughs"), not a
 *  manifest. */
const maxAliasCount = 100

function parseJson(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function jsonLine(file: string, text: string, path: readonly (string | number)[]): number {
  if (text.length > maxRelocatedCharacters) return 0
  return parseYaml(file, text)[0]?.lineOf(path) ?? 0
}

function parseYaml(file: string, text: string): readonly ManifestDocument[] {
  if (text.length > maxYamlCharacters) {
    const found = `${text.length} characters of YAML, expected at most ${maxYamlCharacters}`
    throw new ManifestError({ file, line: 0 }, `${found}; split the file or write it as JSON`)
  }
  const lines = new LineCounter()
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line)
  try {
    // The library's own check for doubled keys takes quadratic time; ours follows below.
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      merge: true,
      logLevel: 'silent',
    })
    return [...documents].map((document) => {
      const [fault] = document.errors
      if (fault !== undefined) {
        throw new ManifestError({ file, line: lineAt(fault.pos[0]) }, fault.message)
      }
      const doubled = findDoubledKey(document)
      if (doubled !== undefined) {
        const line = lineAt(doubled.offset)
        throw new ManifestError({ file, line }, `key ${JSON.stringify(doubled.key)} is there twice`)
      }
      return {
        value: plainValue(file, document, lineAt),
        lineOf: (path) => lineAt(nearestOffset(document, path)),
      }
    })
  } catch (error) {
    if (error instanceof ManifestError) throw error
    // The library throws a RangeError for too deep nesting.
    const reason = error instanceof RangeError ? 'nested too deeply' : (error as Error).message
    throw new ManifestError({ file, line: 0 }, reason)
  }
}

type YamlDocument = Document.Parsed<ParsedNode, boolean>

function plainValue(
  file: string,
  document: YamlDocument,
  lineAt: (offset: number) => number,
): unknown {
  try {
    return document.toJS({ maxAliasCount }) as unknown
  } catch (error) {
    // Thrown for an alias without an anchor, and for too many of them.
    if (!(error instanceof ReferenceError)) throw error
    throw new ManifestError({ file, line: lineAt(suspectAlias(document)) }, error.message)
  }
}

/** Offset of the first alias without an anchor before it, else of the last alias. */
function suspectAlias(document: YamlDocument): number {
  const anchors = new Set<string>()
  let offset = 0
  visit(document, {
    Node(_, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor)
        return undefined
      }
      offset = node.range?.[0] ?? offset
      return anchors.has(node.source) ? undefined : visit.BREAK
    },
  })
  return offset
}

function nearestOffset(document: YamlDocument, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = keyNode(document, path.slice(0, length))
    if (node !== undefined) return node
  }
  return document.contents?.range[0] ?? document.range[0]
}

/** Offset of the key, or of the list item, at a path. */
function keyNode(document: YamlDocument, path: readonly (string | number)[]): number | undefined {
  const step = path[path.length - 1]
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === step)
    return isScalar(pair?.key) ? pair.key.range?.[0] : undefined
  }
  const node = document.getIn(path, true)
  return isNode(node) ? node.range?.[0] : undefined
}
