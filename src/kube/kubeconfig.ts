import { readFile } from 'node:fs/promises'
import { LineCounter, parseDocument } from 'yaml'
import { type ClusterAccess, ClusterAccessError } from './cluster-access.ts'
import { decodeCluster, decodeUser } from './decode-cluster-access.ts'
import { findDoubledKey } from './doubled-key.ts'
import { asJsonObject, FieldReader, type JsonObject } from './json-fields.ts'

/** Reads kubeconfig files and decodes the cluster and user of one context. Of several files (the
 *  list in KUBECONFIG) the first that names something wins, and missing ones are passed over, as
 *  kubectl does it. Rejects with a ClusterAccessError or a DecodeError; neither ever shows a
 *  credential. */
export async function loadKubeconfig(
  paths: readonly string[],
  options: { readonly context?: string | undefined } = {},
): Promise<ClusterAccess> {
  const files: KubeconfigFile[] = []
  for (const path of paths) {
    const text = await readKubeconfig(path, paths.length > 1)
    if (text !== undefined) files.push(parseKubeconfig(path, text))
  }
  if (files.length === 0) {
    throw new ClusterAccessError(`${paths.join(':')}: no such file; name a kubeconfig that exists`)
  }
  return selectAccess(files, options.context)
}

/** The structure of one kubeconfig file, its entries not yet decoded. */
export interface KubeconfigFile {
  readonly path: string
  readonly currentContext: string
  readonly clusters: readonly NamedEntry[]
  readonly users: readonly NamedEntry[]
  readonly contexts: readonly NamedEntry[]
}

/** `{ name: ..., cluster|user|context: {...} }` and its place in the list. */
interface NamedEntry {
  readonly name: string
  readonly index: number
  readonly value: JsonObject
}

/** Parses the text of one file. Throws a ClusterAccessError or a DecodeError. */
export function parseKubeconfig(path: string, text: string): KubeconfigFile {
  const root = parseYaml(path, text)
  const reader = new FieldReader()
  if (root.kind !== undefined && root.kind !== 'Config') reader.fault('kind', root.kind, 'Config')
  const file: KubeconfigFile = {
    path,
    currentContext: reader.text(root, 'current-context', maxNameCharacters),
    clusters: decodeEntries(reader, root, 'clusters', 'cluster'),
    users: decodeEntries(reader, root, 'users', 'user'),
    contexts: decodeEntries(reader, root, 'contexts', 'context'),
  }
  reader.finish(path)
  return file
}

/** Decodes what a context of the merged files names; undefined: the current context. Throws a
 *  ClusterAccessError or a DecodeError. */
export function selectAccess(
  files: readonly KubeconfigFile[],
  contextName: string | undefined,
): ClusterAccess {
  const all = files.map((file) => file.path).join(':')
  const wanted =
    contextName ?? files.find((file) => file.currentContext !== '')?.currentContext ?? ''
  if (wanted === '') {
    throw new ClusterAccessError(`${all}: current-context: not set; set it or name a context`)
  }
  const found = findEntry(files, 'contexts', wanted)
  if (found === undefined) throw missing(all, 'contexts', wanted, files)
  const context = decodeEntry(found, 'context', (reader, value) => ({
    cluster: reader.text(value, 'cluster', maxNameCharacters),
    user: reader.text(value, 'user', maxNameCharacters),
    namespace: reader.text(value, 'namespace', maxNameCharacters, 'default'),
  }))
  const clusterEntry = findEntry(files, 'clusters', context.cluster)
  if (clusterEntry === undefined) throw missing(all, 'clusters', context.cluster, files)
  const cluster = decodeEntry(clusterEntry, 'cluster', decodeCluster)
  const userEntry = context.user === '' ? anonymous : findEntry(files, 'users', context.user)
  if (userEntry === undefined) throw missing(all, 'users', context.user, files)
  const user = decodeEntry(userEntry, 'user', decodeUser)
  const origin = `${found.file}, context ${wanted}`
  return { origin, ...cluster, user, namespace: context.namespace }
}

type Section = 'clusters' | 'users' | 'contexts'

interface FoundEntry {
  readonly file: string
  readonly section: Section
  readonly entry: NamedEntry
}

const anonymous: FoundEntry = {
  file: '',
  section: 'users',
  entry: { name: '', index: 0, value: {} },
}

const maxNameCharacters = 4_096

/** Large enough for hundreds of clusters with their certificates. */
const maxFileCharacters = 4 * 1_048_576

async function readKubeconfig(path: string, isOptional: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && isOptional) return undefined
    const advice = code === 'ENOENT' ? 'name a file that exists' : 'make it readable'
    throw new ClusterAccessError(`${path}: cannot be read (${code}); ${advice}`)
  }
}

/** The library's messages and causes quote the text, which holds credentials: only the kind of
 *  fault and its place are told. */
function parseYaml(path: string, text: string): JsonObject {
  if (text.length > maxFileCharacters) {
    const found = `${text.length} characters, expected at most ${maxFileCharacters}`
    throw new ClusterAccessError(`${path}: ${found}`)
  }
  const lines = new LineCounter()
  const fail = (offset: number, reason: string): never => {
    const { line, col } = lines.linePos(offset)
    throw new ClusterAccessError(`${path}:${line}:${col}: ${reason}; correct the YAML there`)
  }
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'silent',
    })
    const [fault] = document.errors
    if (fault !== undefined) fail(fault.pos[0], `YAML fault ${fault.code}`)
    const doubled = findDoubledKey(document)
    if (doubled !== undefined) fail(doubled.offset, 'a key is there twice')
    const root = asJsonObject(document.toJS({ maxAliasCount: 100 }) ?? {})
    return root ?? fail(0, 'expected a mapping')
  } catch (error) {
    if (error instanceof ClusterAccessError) throw error
    throw new ClusterAccessError(`${path}: too deep or wrong aliases; correct the YAML`)
  }
}

function decodeEntries(
  reader: FieldReader,
  root: JsonObject,
  section: Section,
  member: string,
): readonly NamedEntry[] {
  return reader.objects(root, section, 10_000, (entry, index) => ({
    name: reader.text(entry, 'name', maxNameCharacters),
    index,
    value: reader.object(entry, member),
  }))
}

function findEntry(
  files: readonly KubeconfigFile[],
  section: Section,
  name: string,
): FoundEntry | undefined {
  for (const file of files) {
    const entry = file[section].find((candidate) => candidate.name === name)
    if (entry !== undefined) return { file: file.path, section, entry }
  }
  return undefined
}

function decodeEntry<T>(
  { file, section, entry }: FoundEntry,
  member: string,
  decode: (reader: FieldReader, value: JsonObject, file: string) => T,
): T {
  const reader = new FieldReader()
  for (const step of [section, entry.index, member]) reader.enter(step)
  const value = decode(reader, entry.value, file)
  reader.finish(file)
  return value
}

function missing(
  source: string,
  section: Section,
  name: string,
  files: readonly KubeconfigFile[],
): ClusterAccessError {
  const names = files.flatMap((file) => file[section].map((entry) => entry.name))
  const known = names.length === 0 ? 'there are none' : `there are ${names.slice(0, 10).join(', ')}`
  return new ClusterAccessError(`${source}: ${section}: no entry ${JSON.stringify(name)}; ${known}`)
}
