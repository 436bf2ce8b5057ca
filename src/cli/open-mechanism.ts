import { openIpvsMechanism } from '../ipvs/ipvs-mechanism.ts'
import { systemClock } from '../kube/clock.ts'
import { parsePrefix } from '../net/prefix.ts'
import {
  defaultProxyConfiguration,
  type ProxyConfiguration,
} from '../proxy/config/proxy-configuration.ts'
import type { ProxyMode } from '../proxy/config/proxy-options.ts'
import { openIptablesMechanism } from '../proxy/iptables/iptables-mechanism.ts'
import { openNftablesMechanism } from '../proxy/nftables/nftables-mechanism.ts'
import type { Mechanism } from '../proxy/port/mechanism.ts'
import { openPortableMechanism } from '../proxy/portable/portable-mechanism.ts'
import { defaultRelayOptions, type RelayOptions } from '../proxy/relay/relay-options.ts'
import { openUserspaceMechanism } from '../proxy/userspace/userspace-mechanism.ts'
import { failure } from './cli-error.ts'

/** Modes that are taken when none is named, the best one first: what a change of one endpoint costs decides. */
const automaticModes = ['nftables', 'ipvs', 'iptables'] as const satisfies readonly ProxyMode[]

/** All modes. In those that end with this process nothing is served without being asked for. */
export const proxyModes: readonly ProxyMode[] = [...automaticModes, 'userspace', 'portable']

/** What a mechanism is told beside the configuration of the original. */
export interface MechanismContext {
  /** Takes sentences about what cannot be served. */
  readonly warn: (text: string) => void
  /** Takes sentences about how it works here. */
  readonly inform: (text: string) => void
  readonly relay: RelayOptions
  /** Where portable mode keeps its table; undefined: nowhere. */
  readonly portableTable: string | undefined
}

/** For those who only look or clean up. */
const idleContext: MechanismContext = {
  warn: () => {},
  inform: () => {},
  relay: defaultRelayOptions,
  portableTable: undefined,
}

/** A mechanism that was chosen, and why when nobody named it. */
export interface ChosenMechanism {
  readonly mechanism: Mechanism
  readonly reason: string | undefined
}

/** Opens the mechanism that the configuration names, or else the best one that works here. Rejects with
 *  one line that says what is missing and which modes would work. */
export async function chooseMechanism(
  configuration: ProxyConfiguration,
  context = idleContext,
): Promise<ChosenMechanism> {
  const { mode } = configuration
  if (mode !== '') {
    return { mechanism: await openMechanism(mode, configuration, context), reason: undefined }
  }
  const refusals: string[] = []
  for (const candidate of automaticModes) {
    try {
      const mechanism = await openAny(candidate, configuration, context)
      return { mechanism, reason: ['no mode was asked for', ...refusals].join('; ') }
    } catch (error) {
      refusals.push(`${candidate} does not work here: ${describe(error)}`)
    }
  }
  throw failure(`no mode works here: ${refusals.join('; ')}`)
}

/** Opens the mechanism of a mode. Rejects with one line that says what the kernel or the machine lacks and
 *  which modes would work. */
export async function openMechanism(
  mode: ProxyMode,
  configuration = defaultProxyConfiguration,
  context = idleContext,
): Promise<Mechanism> {
  try {
    return await openAny(mode, configuration, context)
  } catch (error) {
    const working = await workingModes(mode, configuration)
    throw failure(
      `--proxy-mode ${mode}: ${describe(error)}; ${
        working.length === 0 ? 'no other mode works here' : `works here: ${working.join(', ')}`
      }`,
      error,
    )
  }
}

async function workingModes(
  refused: ProxyMode,
  configuration: ProxyConfiguration,
): Promise<readonly ProxyMode[]> {
  const working: ProxyMode[] = []
  for (const mode of proxyModes.filter((name) => name !== refused)) {
    try {
      const mechanism = await openAny(mode, configuration, idleContext)
      mechanism.close()
      working.push(mode)
    } catch {
      // Not worth a word: it was not asked for.
    }
  }
  return working
}

async function openAny(
  mode: ProxyMode,
  configuration: ProxyConfiguration,
  context: MechanismContext,
): Promise<Mechanism> {
  switch (mode) {
    case 'nftables':
      return openNftablesMechanism()
    case 'ipvs':
      return openIpvs(configuration)
    case 'iptables':
      return openIptablesMechanism()
    case 'userspace':
      return openUserspaceMechanism(context)
    case 'portable':
      // All of its clients are on this machine.
      return openPortableMechanism({
        ...context,
        relay: { ...context.relay, source: 'node' },
        tableFile: context.portableTable,
      })
  }
}

function openIpvs({ ipvs }: ProxyConfiguration): Mechanism {
  const seconds = (durationMs: number): number => Math.floor(durationMs / 1_000)
  return openIpvsMechanism({
    scheduler: ipvs.scheduler,
    excludeCidrs: ipvs.excludeCIDRs.flatMap((text) => parsePrefix(text) ?? []),
    isArpStrict: ipvs.strictARP,
    timeouts: {
      tcp: seconds(ipvs.tcpTimeout),
      tcpFin: seconds(ipvs.tcpFinTimeout),
      udp: seconds(ipvs.udpTimeout),
    },
    clock: systemClock,
  })
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
