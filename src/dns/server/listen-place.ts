import { ListenError } from '../../observe/listen-error.ts'
import { ReactorError } from '../../reactor/reactor-error.ts'

/** One address that sockets are opened at. */
export interface ListenPlace {
  readonly host: string
  readonly port: number
  /** Other sockets of this process are there too (SO_REUSEPORT): the kernel spreads clients over them. */
  readonly isShared: boolean
}

/** One socket for each family: one for both would show IPv4 clients by addresses of the other. */
const allAddresses = ['0.0.0.0', '::'] as const

/** Opens something at each address that a host means; an empty one is every address. Rejects with ListenError
 *  or ReactorError when one cannot be had. */
export async function eachAddress(
  { host, port }: Pick<ListenPlace, 'host' | 'port'>,
  open: (host: string) => Promise<void>,
): Promise<void> {
  for (const each of host === '' ? allAddresses : [host]) {
    try {
      await open(each)
    } catch (error) {
      // A machine without IPv6 serves IPv4.
      if (host === '' && each === '::' && codeOf(error) === 'EAFNOSUPPORT') continue
      if (error instanceof ReactorError) throw error
      const shown = each.includes(':') ? `[${each}]` : each
      throw new ListenError('DNS server', `${shown}:${port}`, error as NodeJS.ErrnoException)
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
