import { existsSync } from 'node:fs'
import process from 'node:process'
import type { ChildGroup } from './child-group.ts'
import { findBinary } from './find-binary.ts'

/** A program that some tests run, the Debian package that brings it, and what the tests do with it. */
interface Requirement {
  readonly binary: string
  readonly package: string
  readonly why: string
}

const requirements: readonly Requirement[] = [
  { binary: 'ip', package: 'iproute2', why: 'builds the network namespaces of the tests' },
  { binary: 'nft', package: 'nftables', why: 'a second reader of the rules that we write' },
  { binary: 'iptables', package: 'iptables', why: 'reads and writes the rules of iptables mode' },
  { binary: 'conntrack', package: 'conntrack', why: 'a second reader of connection tracking' },
  { binary: 'dig', package: 'bind9-dnsutils', why: 'asks the name server as people do' },
  { binary: 'kdig', package: 'knot-dnsutils', why: 'asks the name server over TLS and HTTPS' },
  { binary: 'unshare', package: 'util-linux', why: 'gives each test file a network of its own' },
]

/** apt-get may take this long; slower than this is a broken network. */
const installTimeoutMs = 180_000

/** Brings the programs that the tests need onto a Debian machine when we are root, and says so.
 *  Never fails: the tests that need what is still missing report themselves as skipped. */
export async function installTestPackages(
  children: ChildGroup,
  print: (line: string) => void,
): Promise<void> {
  const missing = requirements.filter(({ binary }) => findBinary(binary) === undefined)
  const names = missing.map(({ binary }) => binary).join(', ')
  if (process.getuid?.() !== 0) {
    print('not root: tests that need network namespaces or nf_tables are skipped')
    return
  }
  if (missing.length === 0) return
  if (!existsSync('/etc/debian_version') || findBinary('apt-get') === undefined) {
    print(`missing: ${names}; no Debian machine, so install them by hand or tests are skipped`)
    return
  }
  for (const { binary, package: name, why } of missing) {
    print(`installing Debian package ${name}: \`${binary}\` ${why}`)
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const packages = [...new Set(missing.map((requirement) => requirement.package))]
  const install = ['install', '--yes', '--no-install-recommends', ...packages]
  for (const args of [['update'], install]) {
    const { code, output } = await children.run('apt-get', args, {
      timeoutMs: installTimeoutMs,
      env,
    })
    if (code === 0) continue
    print(`apt-get ${args.join(' ')} failed, tests that need ${names} are skipped:`)
    print(output.trim().split('\n').slice(-3).join('\n'))
    return
  }
}
