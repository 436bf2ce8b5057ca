import { errnos } from './stream-handler.ts'

/** The reactor could not do what its owner asked: no such address, no right, no engine. What peers do is never
 *  an error of this kind. */
export class ReactorError extends Error {
  readonly code = 'PORTOLAN_REACTOR'
  /** `listen on 10.0.0.1:80` */
  readonly operation: string
  /** Linux's number, 0 when no system call failed. */
  readonly errno: number

  constructor(operation: string, errno: number, why: string) {
    super(`reactor: ${operation}: ${why}${remedies[errno] ?? ''}`)
    this.name = 'ReactorError'
    this.operation = operation
    this.errno = errno
  }
}

const remedies: Readonly<Record<number, string>> = {
  1: '; run as root or with CAP_NET_ADMIN',
  13: '; run as root or with CAP_NET_BIND_SERVICE, or take a port above 1023',
  24: '; raise the limit of open files (ulimit -n)',
  98: '; another process listens there (ss -lnp tells which)',
  99: '; no interface of this machine has the address',
}

/** Throws ReactorError (ECANCELED) when nothing may be opened any more. */
export function refuseEnded(isEnding: boolean, operation: string): void {
  if (isEnding) throw new ReactorError(operation, errnos.ECANCELED, 'the reactor has ended')
}
