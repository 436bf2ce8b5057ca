import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The address of all servers in the examples; for documentation only (RFC 5737). */
const examplesAddress = /\b192\.0\.2\.1\b/g

/** The port of the first server in the examples; the others follow. */
const firstExamplesPort = 8081

/** A copy of the examples that the user may edit. */
export interface WorkingCopy {
  readonly folder: string
  remove(): void
}

/** Copies manifests to a new temporary folder and puts the servers' address and ports into them. */
export function makeWorkingCopy(
  examples: string,
  address: string,
  ports: readonly number[],
): WorkingCopy {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-'))
  for (const name of readdirSync(examples)) {
    if (!/\.(?:ya?ml|json)$/.test(name)) continue
    writeFileSync(
      join(folder, name),
      render(readFileSync(join(examples, name), 'utf8'), address, ports),
    )
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

function render(text: string, address: string, ports: readonly number[]): string {
  return text.replaceAll(examplesAddress, address).replaceAll(/\b808\d\b/g, (example) => {
    const port = ports[Number(example) - firstExamplesPort]
    return port === undefined ? example : String(port)
  })
}
