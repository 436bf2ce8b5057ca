import { parseAddress } from '../../net/address.ts'
import { parsePrefix } from '../../net/prefix.ts'
import { parseBindAddress } from './bind-address.ts'

/** What is wrong with a prefix (a CIDR), as the end of "expected ..."; undefined: nothing. */
export function checkPrefix(value: string): string | undefined {
  return parsePrefix(value) === undefined
    ? 'a prefix such as "10.244.0.0/16" or "fd00:10:244::/48"'
    : undefined
}

/** What is wrong with an address. */
export function checkAddress(value: string): string | undefined {
  return value === '' || parseAddress(value) !== undefined ? undefined : 'an IPv4 or IPv6 address'
}

/** What is wrong with a bind address; its port may be missing, which the defaults fill in. */
export function checkBindAddress(value: string): string | undefined {
  return value === '' || parseBindAddress(value, 1) !== undefined
    ? undefined
    : 'address:port with a port 1..65535, such as "0.0.0.0:10256" or "[::]:10256"'
}

/** What is wrong with an entry of nodePortAddresses. */
export function checkNodePortAddress(value: string): string | undefined {
  if (value === 'primary' || parsePrefix(value) !== undefined) return undefined
  return '"primary" or a prefix such as "192.168.0.0/16"'
}

/** What is wrong with a port range: `from-to`, `from+count`, or one port (apimachinery's PortRange). */
export function checkPortRange(value: string): string | undefined {
  if (value === '') return undefined
  const match = /^\s*(\d{1,5})(?:([-+])(\d{1,5}))?\s*$/.exec(value)
  const low = Number(match?.[1])
  const second = match?.[3] === undefined ? low : Number(match[3])
  const high = match?.[2] === '+' ? low + second : second
  return match !== null && low <= high && high <= 65_535
    ? undefined
    : 'a port range such as "300-2000"'
}

/** What is wrong with showHiddenMetricsForVersion. */
export function checkVersion(value: string): string | undefined {
  return value === '' || /^\d+\.\d+$/.test(value) ? undefined : 'a version such as "1.35"'
}
