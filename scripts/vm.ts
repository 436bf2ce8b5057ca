/** Brings what the tests in the virtual machine need onto a Debian machine, then runs them.
 *
 *      node scripts/vm.ts                 installs packages and the kernel, runs test/vm
 *      node scripts/vm.ts FILE [ARG...]   runs a script of the repository inside instead, as root */
import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { runGuest } from '../test/vm/machine/run-guest.ts'
import { findBinary } from './support/find-binary.ts'

const packages: Readonly<Record<string, string>> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  busybox: 'busybox-static',
  depmod: 'kmod',
  ipvsadm: 'ipvsadm',
  ip: 'iproute2',
  nft: 'nftables',
  xz: 'xz-utils',
}

const missing = Object.entries(packages).flatMap(([binary, name]) =>
  findBinary(binary) === undefined ? [name] : [],
)
if (missing.length > 0 && process.getuid?.() !== 0) {
  process.stderr.write(
    `npm run vm: install ${missing.join(', ')}, or run it as root, which does so\n`,
  )
  process.exit(1)
}
if (missing.length > 0) {
  process.stdout.write(`installing Debian packages ${missing.join(', ')}\n`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const install = ['install', '--yes', '--no-install-recommends', ...missing]
  for (const args of [['update'], install]) {
    execFileSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  }
}
const asked = process.argv.slice(2)
const { code } = await runGuest(asked.length > 0 ? asked : ['test/vm/ipvs.test.ts'], (text) =>
  process.stdout.write(text),
)
process.exitCode = code ?? 1
