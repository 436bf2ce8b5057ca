import { getSystemErrorMap } from 'node:util'

/** `EEXIST` for 17; `E17` for numbers without a name. Numbers are positive. */
export function errnoName(errno: number): string {
  return table[errno]?.[0] ?? getSystemErrorMap().get(-errno)?.[0] ?? `E${errno}`
}

/** `File exists` for 17. */
export function errnoText(errno: number): string {
  return table[errno]?.[1] ?? getSystemErrorMap().get(-errno)?.[1] ?? 'unknown error'
}

/** Errors that netfilter and rtnetlink answer with, in the words that people search for; libuv's own words
 *  speak of files and sockets. asm-generic/errno-base.h and errno.h (x64 and arm64). */
const table: Readonly<Record<number, readonly [string, string]>> = {
  1: ['EPERM', 'Operation not permitted'],
  2: ['ENOENT', 'No such file or object'],
  4: ['EINTR', 'Interrupted'],
  11: ['EAGAIN', 'Timed out'],
  12: ['ENOMEM', 'Out of memory'],
  16: ['EBUSY', 'In use'],
  17: ['EEXIST', 'File exists'],
  22: ['EINVAL', 'Invalid argument'],
  23: ['ENFILE', 'Table full'],
  28: ['ENOSPC', 'No space left'],
  34: ['ERANGE', 'Out of range'],
  40: ['ELOOP', 'Too many levels'],
  71: ['EPROTO', 'Broken answer'],
  85: ['ERESTART', 'Changed meanwhile'],
  90: ['EMSGSIZE', 'Message too long'],
  95: ['EOPNOTSUPP', 'Operation not supported'],
  105: ['ENOBUFS', 'Answers were lost: receive buffer full'],
}

/** Numbers that this room compares with. */
export const errnoNumbers = { ENOENT: 2, EINTR: 4, EAGAIN: 11, EINVAL: 22, ENOBUFS: 105 } as const
