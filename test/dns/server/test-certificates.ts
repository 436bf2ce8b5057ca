import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Certificates in a folder of their own: of a server `dns.test`, and of a client that it signed. */
export interface TestCertificates {
  readonly certificate: string
  readonly key: string
  readonly text: string
  /** Signed by `certificate`. */
  readonly client: { readonly cert: string; readonly key: string }
  /** Signed by nobody known. */
  readonly stranger: { readonly cert: string; readonly key: string }
  remove(): void
}

/** Makes the certificates; undefined without openssl. */
export function makeCertificates(): TestCertificates | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'dns-server-tls-'))
  const path = (name: string): string => join(folder, name)
  const make = (name: string, ...more: string[]): { cert: string; key: string } => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-days', '2']
    const files = ['-keyout', path(`${name}.key`), '-out', path(name)]
    execFileSync('openssl', ['req', '-x509', ...key, ...subject, ...files, ...more], {
      stdio: 'ignore',
      timeout: 10_000,
    })
    return {
      cert: readFileSync(path(name), 'utf8'),
      key: readFileSync(path(`${name}.key`), 'utf8'),
    }
  }
  try {
    const server = make('dns.test')
    const issuer = ['-CA', path('dns.test'), '-CAkey', path('dns.test.key')]
    return {
      certificate: path('dns.test'),
      key: path('dns.test.key'),
      text: server.cert,
      client: make('client.test', ...issuer),
      stranger: make('stranger.test'),
      remove: () => rmSync(folder, { recursive: true }),
    }
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
}
