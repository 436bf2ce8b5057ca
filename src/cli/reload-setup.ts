import type { Logger } from '../observe/logger.ts'
import type { ProxyConfiguration } from '../proxy/config/proxy-configuration.ts'
import type { ProxyOptions } from '../proxy/config/proxy-options.ts'
import type { RunningSetup } from '../proxy/running-setup.ts'
import { failure } from './cli-error.ts'
import { chooseMechanism, type MechanismContext } from './open-mechanism.ts'

/** What a reload works with. */
export interface ReloadParts {
  readonly setup: RunningSetup
  /** Reads the command line and the file again; throws what is wrong with them. */
  readonly read: () => ProxyOptions
  /** For the mechanism of another mode. */
  readonly context?: MechanismContext | undefined
  readonly logger: Logger
  /** Sets what the options ask of the node. */
  readonly tune: (options: ProxyOptions) => void
}

/** Puts what the configuration says now in force. A wrong one, and one that the kernel refuses, is logged
 *  and changes nothing. Rejects with a failure that names them when fields have changed that only a start
 *  can take over. */
export async function reloadSetup({
  setup,
  read,
  context,
  logger,
  tune,
}: ReloadParts): Promise<void> {
  const { options: before, mechanism: present } = setup.present
  const options = attempt(read, logger)
  if (options === undefined) return
  const fixed = changedAtStartOnly(before, options)
  if (fixed.length > 0) {
    throw failure(
      `${fixed.join(', ')} changed: only a start takes this over; start again to use it`,
    )
  }
  if (JSON.stringify(before) === JSON.stringify(options)) {
    logger.info({}, 'the configuration has not changed')
    return
  }
  try {
    const isKept = mechanismText(before) === mechanismText(options)
    const mechanism = isKept
      ? present
      : (await chooseMechanism(options.configuration, context)).mechanism
    tune(options)
    await setup.replace({ options, mechanism })
    logger.info({ mode: mechanism.name, way: mechanism.way }, 'took over the configuration')
  } catch (error) {
    logger.error({ reason: message(error) }, keptBefore)
  }
}

const keptBefore = 'the new configuration is not used; the one before stays in force'

function attempt(read: () => ProxyOptions, logger: Logger): ProxyOptions | undefined {
  try {
    return read()
  } catch (error) {
    logger.error({ reason: message(error) }, keptBefore)
    return undefined
  }
}

/** Fields that sockets, credentials and the log are made with. */
const startFields = [
  'hostnameOverride',
  'clientConnection',
  'healthzBindAddress',
  'metricsBindAddress',
  'bindAddressHardFail',
  'logging',
] as const satisfies readonly (keyof ProxyConfiguration)[]

function changedAtStartOnly(before: ProxyOptions, after: ProxyOptions): readonly string[] {
  const isSame = (left: unknown, right: unknown) => JSON.stringify(left) === JSON.stringify(right)
  const changed: string[] = startFields.filter(
    (field) => !isSame(before.configuration[field], after.configuration[field]),
  )
  // The family of bindAddress decides where the servers listen by default.
  const addresses = ({ healthzAddress, metricsAddress }: ProxyOptions) => [
    healthzAddress,
    metricsAddress,
  ]
  if (changed.length === 0 && !isSame(addresses(before), addresses(after))) {
    changed.push('bindAddress')
  }
  return changed
}

/** Options with the same text are served by the same mechanism. */
function mechanismText({ configuration }: ProxyOptions): string {
  const { mode, ipvs } = configuration
  return JSON.stringify(mode === 'ipvs' ? [mode, ipvs] : [mode])
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
