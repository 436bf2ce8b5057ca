import { familyOf } from '../../net/address.ts'
import type { Fault } from '../../net/decode-error.ts'
import { checkPrefix } from './field-checks.ts'
import type { ProxyConfiguration } from './proxy-configuration.ts'

/** Faults in the rules between fields: pkg/proxy/apis/config/validation of the original, and what this
 *  version does not do yet. */
export function checkProxyConfiguration(configuration: ProxyConfiguration): readonly Fault[] {
  return [
    ...checkMode(configuration),
    ...checkPeriods(configuration),
    ...checkNodePortAddresses(configuration.nodePortAddresses),
    ...checkLocalDetection(configuration),
  ]
}

function checkMode({ windowsRunAsService }: ProxyConfiguration): Fault[] {
  if (!windowsRunAsService) return []
  return [{ path: ['windowsRunAsService'], value: true, expected: 'false on this platform' }]
}

function checkPeriods(configuration: ProxyConfiguration): Fault[] {
  return (['iptables', 'ipvs', 'nftables'] as const).flatMap((name) => {
    const { syncPeriod, minSyncPeriod } = configuration[name]
    // The original's defaults decide when only one of the two is written.
    if ((minSyncPeriod ?? 0) <= (syncPeriod || defaultSyncPeriodMs)) return []
    const expected = `a duration of at least ${name}.minSyncPeriod`
    return [{ path: [name, 'syncPeriod'], value: syncPeriod, expected }]
  })
}

/** syncPeriod of the original when it is not set or 0. */
const defaultSyncPeriodMs = 30_000

function checkNodePortAddresses(entries: readonly string[]): Fault[] {
  if (entries.length < 2) return []
  return entries.flatMap((entry, index) =>
    entry === 'primary'
      ? [
          {
            path: ['nodePortAddresses', index],
            value: entry,
            expected: 'only prefixes, or "primary" alone',
          },
        ]
      : [],
  )
}

function checkLocalDetection(configuration: ProxyConfiguration): Fault[] {
  const { bridgeInterface, interfaceNamePrefix } = configuration.detectLocal
  switch (configuration.detectLocalMode) {
    case 'BridgeInterface':
      return checkInterface('bridgeInterface', bridgeInterface)
    case 'InterfaceNamePrefix':
      return checkInterface('interfaceNamePrefix', interfaceNamePrefix)
    case 'NodeCIDR':
      return []
    default:
      return checkClusterCidr(configuration.clusterCIDR)
  }
}

function checkInterface(field: string, value: string): Fault[] {
  // IFNAMSIZ is 16 with its final zero; the kernel knows no longer name.
  if (value !== '' && value.length <= 15 && !/[\s/]/.test(value)) return []
  const expected = 'the name of an interface (1 to 15 characters) for this detectLocalMode'
  return [{ path: ['detectLocal', field], value, expected }]
}

function checkClusterCidr(value: string): Fault[] {
  if (value === '') return []
  const texts = value.split(',').map((part) => part.trim())
  const path = ['clusterCIDR']
  if (texts.some((part) => checkPrefix(part) !== undefined)) {
    return [{ path, value, expected: 'a prefix, or one of each family separated by a comma' }]
  }
  const families = new Set(texts.map((part) => familyOf(part)))
  if (texts.length <= 2 && families.size === texts.length) return []
  return [{ path, value, expected: 'at most one prefix of each family' }]
}
