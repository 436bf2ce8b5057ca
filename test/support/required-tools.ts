import { accessSync, constants } from 'node:fs'
import process from 'node:process'

/** A program that tests run beside Node. */
export interface RequiredTool {
  readonly binary: string
  readonly debianPackage: string
  readonly why: string
}

/** Every program that tests under test/ need. The test script installs what is missing when it may. */
export const requiredTools = [
  { binary: 'ip', debianPackage: 'iproute2', why: 'makes network namespaces, links and routes' },
  { binary: 'nft', debianPackage: 'nftables', why: 'lists rules, and plays the foreign writer' },
  { binary: 'iptables', debianPackage: 'iptables', why: 'reads and writes rules of iptables mode' },
  {
    binary: 'conntrack',
    debianPackage: 'conntrack',
    why: 'lists the connections that the kernel knows',
  },
] as const satisfies readonly RequiredTool[]

/** Those of `binaries` that no folder of the search path has; root's needs /usr/sbin. */
export function missingTools(
  binaries: readonly (typeof requiredTools)[number]['binary'][],
): readonly RequiredTool[] {
  return requiredTools.filter((tool) => binaries.includes(tool.binary) && !isInstalled(tool.binary))
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
