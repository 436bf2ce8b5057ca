import { readFileSync, writeFileSync } from 'node:fs'
import type { ProxyConfiguration } from './config/proxy-configuration.ts'

/** One value that the configuration asks the kernel to have. */
export interface NodeSetting {
  /** The configuration field it comes from. */
  readonly field: string
  readonly path: string
  readonly value: number
  /** Never made smaller: others on the node may need more. */
  readonly isMinimum: boolean
}

const sysctl = '/proc/sys/net/netfilter'

/** What `conntrack` and `oomScoreAdj` ask for; 0 leaves a value as it is. The original writes the same. */
export function nodeSettings(
  { conntrack, oomScoreAdj }: ProxyConfiguration,
  coreCount: number,
): readonly NodeSetting[] {
  const entries =
    conntrack.maxPerCore === 0 ? 0 : Math.max(conntrack.maxPerCore * coreCount, conntrack.min)
  const timeout = (field: string, name: string, durationMs: number): NodeSetting => ({
    field: `conntrack.${field}`,
    path: `${sysctl}/${name}`,
    value: Math.floor(durationMs / 1_000),
    isMinimum: false,
  })
  const settings: readonly NodeSetting[] = [
    {
      field: 'conntrack.maxPerCore',
      path: `${sysctl}/nf_conntrack_max`,
      value: entries,
      isMinimum: true,
    },
    timeout(
      'tcpEstablishedTimeout',
      'nf_conntrack_tcp_timeout_established',
      conntrack.tcpEstablishedTimeout,
    ),
    timeout(
      'tcpCloseWaitTimeout',
      'nf_conntrack_tcp_timeout_close_wait',
      conntrack.tcpCloseWaitTimeout,
    ),
    timeout('udpTimeout', 'nf_conntrack_udp_timeout', conntrack.udpTimeout),
    timeout('udpStreamTimeout', 'nf_conntrack_udp_timeout_stream', conntrack.udpStreamTimeout),
    {
      field: 'conntrack.tcpBeLiberal',
      path: `${sysctl}/nf_conntrack_tcp_be_liberal`,
      value: conntrack.tcpBeLiberal ? 1 : 0,
      isMinimum: false,
    },
  ]
  const score = { field: 'oomScoreAdj', path: '/proc/self/oom_score_adj', value: oomScoreAdj }
  return [...settings.filter(({ value }) => value > 0), { ...score, isMinimum: false }]
}

/** What became of one setting; undefined: it was so already. */
export type SettingOutcome =
  | { readonly kind: 'written'; readonly setting: NodeSetting; readonly before: number }
  | { readonly kind: 'failed'; readonly setting: NodeSetting; readonly reason: string }

/** Writes what is not so already. Failures are told, not thrown: services can be served without. */
export function tuneNode(
  settings: readonly NodeSetting[],
  files: NodeFiles = systemFiles,
): readonly SettingOutcome[] {
  return settings.flatMap((setting): SettingOutcome[] => {
    try {
      const before = Number(files.read(setting.path))
      if (before === setting.value || (setting.isMinimum && before > setting.value)) return []
      files.write(setting.path, `${setting.value}`)
      return [{ kind: 'written', setting, before }]
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error)
      return [{ kind: 'failed', setting, reason }]
    }
  })
}

/** Access to the files of /proc. */
export interface NodeFiles {
  read(path: string): string
  write(path: string, text: string): void
}

const systemFiles: NodeFiles = {
  read: (path) => readFileSync(path, 'utf8'),
  write: (path, text) => writeFileSync(path, text),
}
