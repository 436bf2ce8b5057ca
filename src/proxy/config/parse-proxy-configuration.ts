import { type Document, isAlias, isMap, isSeq, parseAllDocuments } from 'yaml'
import { DecodeError, type Fault } from '../../net/decode-error.ts'
import { checkProxyConfiguration } from './check-proxy-configuration.ts'
import { type ProxyConfiguration, proxyConfigurationFields } from './proxy-configuration.ts'

/** Decodes the text (YAML or JSON) of a configuration file. Throws DecodeError with all faults: syntax,
 *  unknown and duplicate fields, wrong values, rules between fields. `source` is the file's name. */
export function parseProxyConfiguration(content: string, source: string): ProxyConfiguration {
  const faults: Fault[] = []
  const value = parsePlainValue(content, source, faults)
  requireType(value, faults)
  const configuration = proxyConfigurationFields.decode(value, { path: [], faults })
  faults.push(...checkProxyConfiguration(configuration))
  if (faults.length > 0) throw new DecodeError(source, faults)
  return configuration
}

function parsePlainValue(content: string, source: string, faults: Fault[]): unknown {
  try {
    const document = parseDocument(content, source)
    checkNodes(document.contents, [], faults)
    return faults.some((fault) => fault.expected === noAlias) ? {} : document.toJS()
  } catch (error) {
    // The parser is recursive: a RangeError means a document nested thousands of levels deep.
    if (!(error instanceof RangeError)) throw error
    throw new DecodeError(source, [
      { path: [], value: error.message, expected: 'a document of reasonable depth' },
    ])
  }
}

function parseDocument(content: string, source: string): Document {
  const documents = parseAllDocuments(content, { uniqueKeys: false, logLevel: 'silent' })
  const [document, ...others] = Array.isArray(documents) ? documents : []
  if (document === undefined || others.length > 0) {
    const found = `${others.length + (document === undefined ? 0 : 1)} documents`
    throw new DecodeError(source, [{ path: [], value: found, expected: 'one document' }])
  }
  const [problem] = document.errors
  if (problem !== undefined) {
    const [start] = problem.linePos ?? []
    const where = start === undefined ? source : `${source}:${start.line}:${start.col}`
    const reason = problem.message.split('\n', 1)[0]?.replace(/ at line .*$/, '') ?? ''
    throw new DecodeError(where, [{ path: [], value: reason, expected: 'YAML or JSON' }])
  }
  return document
}

/** The original's decoder needs both to choose the type. */
function requireType(value: unknown, faults: Fault[]): void {
  for (const name of ['apiVersion', 'kind'] as const) {
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, name)) continue
    faults.push({ path: [name], value: undefined, expected: proxyConfigurationFields.absent[name] })
  }
}

const noAlias = 'a value written out (aliases are not supported here)'

function checkNodes(node: unknown, path: readonly (string | number)[], faults: Fault[]): void {
  if (isAlias(node)) faults.push({ path, value: `*${node.source}`, expected: noAlias })
  if (isSeq(node)) {
    for (const [at, item] of node.items.entries()) checkNodes(item, [...path, at], faults)
  }
  if (!isMap(node)) return
  const seen = new Set<string>()
  for (const pair of node.items) {
    const name = String(pair.key)
    if (seen.has(name)) {
      faults.push({ path: [...path, name], value: name, expected: 'this field only once' })
    }
    seen.add(name)
    checkNodes(pair.value, [...path, name], faults)
  }
}
