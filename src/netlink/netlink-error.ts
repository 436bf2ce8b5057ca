import { errnoName, errnoText } from './errno.ts'

/** One refused operation. */
export interface NetlinkFailure {
  /** What was asked, with its object: `add element ip portolan services 10.96.0.10 . tcp . 80`. */
  readonly operation: string
  /** Positive number of the kernel, e.g. 17. */
  readonly errno: number
  /** The kernel's extended acknowledgement, where it gave one. */
  readonly kernelText?: string
  /** Name of the attribute that the kernel refused, where it gave one. */
  readonly attribute?: string
}

/** The kernel refused one or more operations. `failures` has all, `operation` and `errno` are those of the
 *  first; a failed nf_tables batch has changed nothing. */
export class NetlinkError extends Error {
  readonly code = 'PORTOLAN_NETLINK'
  readonly family: string
  readonly failures: readonly [NetlinkFailure, ...NetlinkFailure[]]

  constructor(family: string, failures: readonly [NetlinkFailure, ...NetlinkFailure[]]) {
    super(`${family}: ${describe(failures)}`)
    this.name = 'NetlinkError'
    this.family = family
    this.failures = failures
  }

  get operation(): string {
    return this.failures[0].operation
  }

  get errno(): number {
    return this.failures[0].errno
  }

  /** `EEXIST` */
  get errnoName(): string {
    return errnoName(this.failures[0].errno)
  }
}

/** The error of a failed call of the C library. */
export function systemCallError(family: string, operation: string, errno: number): NetlinkError {
  return new NetlinkError(family, [{ operation, errno }])
}

function describe(failures: readonly [NetlinkFailure, ...NetlinkFailure[]]): string {
  const [first] = failures
  const attribute = first.attribute === undefined ? '' : `, attribute ${first.attribute}`
  const kernel = first.kernelText === undefined ? '' : `, kernel: ${first.kernelText}`
  const more = failures.length > 1 ? ` (and ${failures.length - 1} more refused)` : ''
  const name = `${errnoName(first.errno)} (${errnoText(first.errno)})`
  return `${first.operation}: ${name}${attribute}${kernel}${remedy(first.errno)}${more}`
}

function remedy(errno: number): string {
  return errno === 1 ? '; run as root or with CAP_NET_ADMIN' : ''
}
