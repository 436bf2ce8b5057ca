import { readFileSync } from 'node:fs'
import { type Corefile, checkCorefile } from '../dns/corefile/check-corefile.ts'
import { importFiles } from '../dns/corefile/import-files.ts'
import { failure, usageError } from './cli-error.ts'
import type { CliIo } from './subcommand.ts'

/** Reads and decodes a Corefile, or the one that is used without any. Throws a CorefileError with every fault
 *  of the file, a failure when it cannot be read. */
export function readCorefile(file: string | undefined, defaultPort: number, io: CliIo): Corefile {
  const { environment } = io
  if (file === undefined) {
    return checkCorefile('default Corefile', defaultCorefile, {
      environment: { ...environment, PORTOLAN_DNS_PORT: `${defaultPort}` },
      importFiles,
      defaultPort,
    })
  }
  return checkCorefile(file, readText(file), { environment, importFiles, defaultPort })
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw failure(`Corefile ${file}: cannot be read (${reason}); give a readable file`, error)
  }
}

/** The port of `--dns.port`. Throws a usage error. */
export function readPort(text = '53'): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port > 0 && port < 65_536) return port
  throw usageError(`--dns.port: got "${text}", expected 1 to 65535`)
}

/** CoreDNS' own for a cluster, without what needs a file. */
const defaultCorefile = `.:{$PORTOLAN_DNS_PORT} {
  errors
  health
  ready
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
  }
  prometheus :9153
  forward . /etc/resolv.conf
  cache 30
  loop
  loadbalance
}
`
