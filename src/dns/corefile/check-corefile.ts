import type { DnsName } from '../wire/name.ts'
import type { BlockContext } from './block-context.ts'
import { CorefileError, type CorefileFault, refuse, refuseUnknown } from './corefile-error.ts'
import {
  type DirectiveName,
  type DirectiveSettings,
  directives,
  foreignDirectives,
  repeatable,
} from './directives.ts'
import {
  type CorefileSurroundings,
  type Entry,
  type ImportedFile,
  parseCorefile,
  type ServerBlock,
} from './parse-corefile.ts'
import { decodeServerKey, type ServerKey } from './server-key.ts'

/** A Corefile that can be used. */
export interface Corefile {
  readonly blocks: readonly BlockSettings[]
  readonly text: CorefileText
}

/** A Corefile as text, with everything that it was made of: plain data, from which another thread decodes
 *  the same. */
export interface CorefileText extends Pick<CorefileOptions, 'environment' | 'defaultPort'> {
  readonly file: string
  readonly text: string
  readonly imports: readonly {
    readonly pattern: string
    readonly importer: string
    readonly files: readonly ImportedFile[] | undefined
  }[]
}

/** One server block, decoded. */
export interface BlockSettings {
  readonly keys: readonly [ServerKey, ...ServerKey[]]
  readonly zones: readonly [DnsName, ...DnsName[]]
  /** What each directive says, in the order of the file; a directive that is absent has no entry. */
  readonly settings: {
    readonly [Name in DirectiveName]?: readonly DirectiveSettings<Name>[]
  }
}

/** What else a check needs. */
export interface CorefileOptions extends CorefileSurroundings {
  /** Port of keys that name none. */
  readonly defaultPort: number
}

/** Decodes a Corefile, or throws a CorefileError with every fault: line, column, what is wrong, and the
 *  nearest known word. Opens no socket and, imports aside, no file. */
export function checkCorefile(file: string, text: string, options: CorefileOptions): Corefile {
  const faults: CorefileFault[] = []
  const imports: CorefileText['imports'][number][] = []
  const importFiles: CorefileOptions['importFiles'] = (pattern, importer) => {
    const files = options.importFiles(pattern, importer)
    imports.push({ pattern, importer, files })
    return files
  }
  const blocks = parseCorefile(file, text, { ...options, importFiles }).flatMap((block) => {
    const decoded = collect(faults, () => decodeBlock(block, options.defaultPort, faults))
    return decoded === undefined ? [] : [decoded]
  })
  checkDoubledKeys(blocks, faults)
  if (faults.length > 0) throw new CorefileError(faults)
  const { environment, defaultPort } = options
  return { blocks, text: { file, text, environment, defaultPort, imports } }
}

/** Decodes the text of a Corefile again, without reading a file. */
export function recheckCorefile({ file, text, imports, ...rest }: CorefileText): Corefile {
  const importFiles: CorefileOptions['importFiles'] = (pattern, importer) =>
    imports.find((known) => known.pattern === pattern && known.importer === importer)?.files
  return checkCorefile(file, text, { ...rest, importFiles })
}

function decodeBlock(
  block: ServerBlock,
  defaultPort: number,
  faults: CorefileFault[],
): BlockSettings {
  const keys = block.keys.flatMap((key) => decodeServerKey(key, defaultPort))
  const [first, ...rest] = keys
  if (first === undefined) refuse(block.keys[0], 'the block serves no zone')
  const zones = [first.zone, ...rest.map((key) => key.zone)] as const
  const decoded: Partial<Record<DirectiveName, unknown[]>> = {}
  const roots = block.directives.filter((entry) => entry.words[0].text === 'root')
  const context: BlockContext = { zones: [...zones], root: roots[0]?.words[1]?.text ?? '' }
  for (const entry of block.directives) {
    collect(faults, () => {
      const name = knownDirective(entry, decoded)
      const settings: unknown[] = decoded[name] ?? []
      decoded[name] = settings
      settings.push(directives[name](entry, context))
    })
  }
  // The table's decoders give exactly the types that BlockSettings derives from it.
  return {
    keys: [first, ...rest],
    zones: [...zones],
    settings: decoded as BlockSettings['settings'],
  }
}

function knownDirective(
  entry: Entry,
  before: Readonly<Partial<Record<DirectiveName, unknown>>>,
): DirectiveName {
  const [head] = entry.words
  const foreign = Object.hasOwn(foreignDirectives, head.text) && foreignDirectives[head.text]
  if (foreign) refuse(head, `directive ${JSON.stringify(head.text)} is not supported: ${foreign}`)
  if (!isDirective(head.text)) refuseUnknown(head, 'directive', Object.keys(directives))
  if (before[head.text] !== undefined && !repeatable.has(head.text)) {
    refuse(head, `${JSON.stringify(head.text)} may stand only once in a server block`)
  }
  return head.text
}

function isDirective(text: string): text is DirectiveName {
  return Object.hasOwn(directives, text)
}

/** Runs a decoder and remembers its faults instead of ending. */
function collect<Value>(faults: CorefileFault[], decode: () => Value): Value | undefined {
  try {
    return decode()
  } catch (error) {
    if (!(error instanceof CorefileError)) throw error
    faults.push(...error.faults)
    return undefined
  }
}

/** The same zone, port and transport twice, unless the blocks are bound to different addresses. */
function checkDoubledKeys(blocks: readonly BlockSettings[], faults: CorefileFault[]): void {
  const seen = new Map<string, string[]>()
  for (const block of blocks) {
    const listen = (block.settings.bind ?? []).flatMap((bind) =>
      bind.listen.map((token) => token.text),
    )
    for (const key of block.keys) {
      const name = `${key.transport}://${key.zone}:${key.port}`
      const before = seen.get(name)
      const isDoubled =
        before !== undefined &&
        (before.length === 0 || listen.length === 0 || before.some((at) => listen.includes(at)))
      if (isDoubled) faults.push({ place: key.token.place, message: `${name} is served twice` })
      seen.set(name, [...(before ?? []), ...listen])
    }
  }
}
