import { DecodeError, type Fault } from '../../net/decode-error.ts'
import { checkProxyConfiguration } from './check-proxy-configuration.ts'
import { parseProxyConfiguration } from './parse-proxy-configuration.ts'
import { type ProxyConfiguration, proxyConfigurationFields } from './proxy-configuration.ts'
import { type ProxyFlag, proxyFlags } from './proxy-flags.ts'

/** A configuration file, read. */
export interface ConfigurationFile {
  readonly name: string
  readonly content: string
}

/** The configuration that was asked for, and what deserves a warning. */
export interface ConfiguredProxy {
  readonly configuration: ProxyConfiguration
  readonly warnings: readonly string[]
  /** Servers that flags switched off: an empty bind address, or port 0 in the deprecated form. */
  readonly disabledServers: readonly ('healthz' | 'metrics')[]
}

/** Flags as typed: the text by the flag's name, only those that were given. */
export type FlagTexts = Readonly<Record<string, string>>

/** Makes the configuration from the file, if there is one, and from the flags. Beside a file most flags are
 *  ignored, as the original does, with a warning. Throws DecodeError with all faults; those of flags name
 *  the flag instead of the field. */
export function configureProxy(
  flags: FlagTexts,
  file: ConfigurationFile | undefined,
): ConfiguredProxy {
  const given = proxyFlags.filter((flag) => flags[flag.name] !== undefined)
  const warnings = given.filter(isDeprecated).map((flag) => `--${flag.name}: ${flag.summary}`)
  if (file === undefined) {
    const disabledServers = (['healthz', 'metrics'] as const).filter(
      (name) => flags[`${name}-port`] === '0' || flags[`${name}-bind-address`] === '',
    )
    return { configuration: decodeFlags(given, flags, undefined), warnings, disabledServers }
  }
  const base = parseProxyConfiguration(file.content, file.name)
  const used = given.filter((flag) => flag.besideConfig && !isOverruled(flag, base))
  const ignored = given.filter((flag) => !used.includes(flag))
  for (const flag of ignored) warnings.push(`--${flag.name} is ignored: --config is given`)
  return { configuration: decodeFlags(used, flags, base), warnings, disabledServers: [] }
}

/** A kubeconfig flag counts beside a file that names no kubeconfig; the original would then look for
 *  in-cluster credentials, which a user who names a file does not want. */
function isOverruled(flag: ProxyFlag, base: ProxyConfiguration): boolean {
  return flag.name === 'kubeconfig' && base.clientConnection.kubeconfig !== ''
}

function isDeprecated(flag: ProxyFlag): boolean {
  return flag.summary.startsWith('deprecated')
}

function decodeFlags(
  used: readonly ProxyFlag[],
  flags: FlagTexts,
  base: ProxyConfiguration | undefined,
): ProxyConfiguration {
  const faults: Fault[] = []
  const document: Record<string, unknown> = {}
  for (const flag of used) {
    const value = readFlag(flag, flags[flag.name] ?? '')
    if (value === undefined) faults.push(flagFault(flag, flags[flag.name], expectedText[flag.type]))
    else if (flag.field !== undefined) setField(document, flag.field, value)
  }
  const fieldFaults: Fault[] = []
  const place = { path: [], faults: fieldFaults }
  const decoded = proxyConfigurationFields.decode(document, place)
  const configuration = base === undefined ? shareSettings(decoded) : overlay(base, decoded, used)
  if (base === undefined) fieldFaults.push(...checkProxyConfiguration(decoded))
  faults.push(...fieldFaults.map((fault) => nameFlag(fault, used, flags)))
  if (faults.length > 0) throw new DecodeError('command line', faults)
  return configuration
}

/** On the command line one flag each stands for the settings that iptables and nftables mode share. */
function shareSettings(decoded: ProxyConfiguration): ProxyConfiguration {
  const { masqueradeAll, syncPeriod, minSyncPeriod } = decoded.nftables
  const { masqueradeBit } = decoded.iptables
  return {
    ...decoded,
    iptables: { ...decoded.iptables, masqueradeAll, syncPeriod, minSyncPeriod },
    nftables: { ...decoded.nftables, masqueradeBit },
  }
}

/** Only four fields can be set beside a file. */
function overlay(
  base: ProxyConfiguration,
  decoded: ProxyConfiguration,
  used: readonly ProxyFlag[],
): ProxyConfiguration {
  const isGiven = (name: string) => used.some((flag) => flag.name === name)
  return {
    ...base,
    hostnameOverride: isGiven('hostname-override')
      ? decoded.hostnameOverride
      : base.hostnameOverride,
    clientConnection: isGiven('kubeconfig')
      ? { ...base.clientConnection, kubeconfig: decoded.clientConnection.kubeconfig }
      : base.clientConnection,
    logging: {
      ...base.logging,
      ...(isGiven('v') ? { verbosity: decoded.logging.verbosity } : {}),
      ...(isGiven('logging-format') ? { format: decoded.logging.format } : {}),
    },
  }
}

const expectedText: Readonly<Record<ProxyFlag['type'], string>> = {
  bool: 'true or false',
  int32: 'a whole number',
  float32: 'a number',
  string: 'a text',
  strings: 'a list separated by commas',
  duration: 'a duration such as "30s"',
  ip: 'an address',
  ipport: 'address:port',
  mapStringBool: 'Name=true pairs separated by commas',
}

/** The value that the same field would have in a file; undefined when the text does not have the type. */
function readFlag(flag: ProxyFlag, value: string): unknown {
  switch (flag.type) {
    case 'bool':
      return readBool(value)
    case 'int32':
    case 'float32':
      return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(value) ? Number(value) : undefined
    case 'strings':
      return value === '' ? [] : value.split(',').map((item) => item.trim())
    case 'mapStringBool':
      return readMap(value)
    default:
      return value
  }
}

/** strconv.ParseBool. */
function readBool(value: string): boolean | undefined {
  if (/^(1|t|T|true|TRUE|True)$/.test(value)) return true
  return /^(0|f|F|false|FALSE|False)$/.test(value) ? false : undefined
}

function readMap(value: string): Record<string, boolean> | undefined {
  const entries = value.split(',').filter((pair) => pair.trim() !== '')
  const map: Record<string, boolean> = {}
  for (const entry of entries) {
    const [name = '', text = ''] = entry.split('=', 2)
    const isOn = readBool(text.trim())
    if (isOn === undefined) return undefined
    map[name.trim()] = isOn
  }
  return map
}

function setField(document: Record<string, unknown>, field: string, value: unknown): void {
  const [outer = '', inner] = field.split('.')
  if (inner === undefined) document[outer] = value
  else document[outer] = { ...(document[outer] as object | undefined), [inner]: value }
}

function nameFlag(fault: Fault, used: readonly ProxyFlag[], flags: FlagTexts): Fault {
  const [outer, inner] = fault.path
  const flag = used.find(({ field }) => field === outer || field === `${outer}.${inner}`)
  return flag === undefined ? fault : flagFault(flag, flags[flag.name], fault.expected)
}

function flagFault(flag: ProxyFlag, value: unknown, expected: string): Fault {
  return { path: [`--${flag.name}`], value, expected }
}
