import { errnos } from '../stream-handler.ts'

const numbers: Readonly<Record<string, number>> = errnos

/** Linux's number for an error of Node, by its name: other systems number differently. */
export function portableErrno(error: Error): number {
  const code = 'code' in error ? String(error.code) : ''
  return numbers[code] ?? errnos.ECONNRESET
}
