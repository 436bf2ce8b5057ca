import { readFileSync } from 'node:fs'
import type { TLSSocket, TlsOptions } from 'node:tls'
import type { TlsSettings } from '../corefile/decode-tls.ts'

/** The `tls` directive with its files read. */
export interface SecureSettings {
  readonly clientAuth: TlsSettings['clientAuth']
  /** For `tls.createServer` and `setSecureContext`. */
  readonly options: TlsOptions
}

/** Reads the files of a `tls` directive. Throws one line that names the listener and the file when one
 *  cannot be read. */
export function secureSettings(label: string, settings: TlsSettings): SecureSettings {
  const { certificate, key, authority, clientAuth } = settings
  const read = (what: string, path: string): Buffer => {
    try {
      return readFileSync(path)
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error)
      const advice = 'give a readable PEM file in the tls directive'
      throw new Error(`${label}: ${what} ${path}: ${reason}; ${advice}`, { cause: error })
    }
  }
  return {
    clientAuth,
    options: {
      cert: read('certificate', certificate),
      key: read('key', key),
      // Without an authority of its own the machine's are asked, as in CoreDNS.
      ...(authority !== undefined && { ca: read('authority', authority) }),
      minVersion: 'TLSv1.2',
      requestCert: asksForCertificate(clientAuth),
      // `isWelcome` judges, so that a reload can change how strictly.
      rejectUnauthorized: false,
    },
  }
}

/** Whether the handshake asks clients for a certificate: all that a running listener cannot change. */
export function asksForCertificate(clientAuth: TlsSettings['clientAuth']): boolean {
  return clientAuth !== 'nocert'
}

/** Whether `client_auth` lets this client in, after its handshake. */
export function isWelcome(socket: TLSSocket, { clientAuth }: SecureSettings): boolean {
  if (clientAuth === 'nocert' || clientAuth === 'request') return true
  const hasCertificate = Object.keys(socket.getPeerCertificate()).length > 0
  switch (clientAuth) {
    case 'require':
      return hasCertificate
    case 'verify_if_given':
      return !hasCertificate || socket.authorized
    case 'require_and_verify':
      return socket.authorized
  }
}
