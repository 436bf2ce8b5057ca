import { accessSync, constants } from 'node:fs'
import process from 'node:process'

/** A program that tests run beside Node. */
interface RequiredTool {
  readonly binary: string
  readonly debianPackage: string
  readonly why: string
}

/** Every program that tests under test/ need. The test script installs what is missing when it may. */
const requiredTools = [
  { binary: 'ip', debianPackage: 'iproute2', why: 'makes network namespaces, links and routes' },
  { binary: 'nft', debianPackage: 'nftables', why: 'lists rules, and plays the foreign writer' },
  { binary: 'iptables-nft', debianPackage: 'iptables', why: 'reads and writes rules' },
  { binary: 'iptables-legacy', debianPackage: 'iptables', why: 'reads and writes rules' },
  {
    binary: 'conntrack',
    debianPackage: 'conntrack',
    why: 'lists the connections that the kernel knows',
  },
] as const satisfies readonly RequiredTool[]

/** Why tests cannot run that need root and these programs; undefined when they can. */
export function toolHindrance(binaries: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN)'
  const missing = requiredTools.filter(
    ({ binary }) => binaries.includes(binary) && !isInstalled(binary),
  )
  if (missing.length === 0) return undefined
  return missing
    .map((tool) => `needs ${tool.binary} (package ${tool.debianPackage}): ${tool.why}`)
    .join('; ')
}

function isInstalled(binary: string): boolean {
  const folders = (process.env.PATH ?? '').split(':')
  return folders.some((folder) => isExecutable(`${folder}/${binary}`))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
