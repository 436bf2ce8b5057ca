import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

/** Names that libuv's table lacks, of errors that netfilter and rtnetlink return. asm-generic/errno.h */
const further: Readonly<Record<number, readonly [string, string]>> = {
  85: ['ERESTART', 'Interrupted system call should be restarted'],
  113: ['EHOSTUNREACH', 'No route to host'],
}

/** `EEXIST` for 17; `E17` style for numbers without a name. Numbers are positive. */
export function errnoName(errno: number): string {
  return (
    names.get(errno) ?? getSystemErrorMap().get(-errno)?.[0] ?? further[errno]?.[0] ?? `E${errno}`
  )
}

/** `File exists` for 17, in the words of libuv. */
export function errnoText(errno: number): string {
  const text = getSystemErrorMap().get(-errno)?.[1] ?? further[errno]?.[1] ?? 'unknown error'
  return text
}

/** Aliases have one number (EAGAIN and EWOULDBLOCK): the first name stays. */
const names: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    .reverse()
    .map(([name, errno]) => [errno, name] as const),
)

/** Numbers that callers compare with. asm-generic/errno-base.h, errno.h (x64 and arm64). */
export const errnoNumbers = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EAGAIN: 11,
  ENOMEM: 12,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  ENOBUFS: 105,
} as const
