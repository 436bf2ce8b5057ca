import { existsSync } from 'node:fs'
import process from 'node:process'
import { suite } from 'uvu'
import { findBinary } from '../../scripts/support/find-binary.ts'
import { prepareGuest, runGuest } from './machine/run-guest.ts'

/** Most kernels of test machines have no IPVS. This file boots one that has, runs itself there, and passes
 *  on what came out; inside, it is a test file like any other. */
const isGuest = process.env.PORTOLAN_GUEST !== undefined

/** Programs that the machine needs; `npm run vm` brings them. */
const tools = ['qemu-system-x86_64', 'busybox', 'depmod', 'kmod', 'ip', 'nft', 'ipvsadm', 'apt-get']

if (isGuest) {
  await import('./guest/codec.ts')
  await import('./guest/mechanism.ts')
  await import('./guest/others.ts')
  await import('./guest/traffic.ts')
} else {
  const reason = hindrance()
  if (reason === undefined) await passOn()
  else skip(reason)
}

async function passOn(): Promise<void> {
  const { code, output } = await runGuest(['test/vm/ipvs.test.ts'])
  process.stdout.write(output)
  if (code === undefined) process.stdout.write('\nthe guest ended before its tests did\n')
  process.exitCode = code ?? 1
}

function skip(reason: string): void {
  const test = suite('vm')
  process.stdout.write(`# skipped: IPVS in a virtual machine: ${reason}\n`)
  test.skip('IPVS in a virtual machine', () => {})
  test.run()
}

function hindrance(): string | undefined {
  if (process.arch !== 'x64') return `needs an x64 machine, this is ${process.arch}`
  const missing = tools.filter((tool) => findBinary(tool) === undefined)
  if (missing.length > 0) return `needs ${missing.join(', ')}: \`npm run vm\` installs them`
  if (!existsSync('/etc/debian_version')) return 'needs a Debian machine, for its kernel package'
  try {
    prepareGuest()
    return undefined
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split('\n')
    return `needs the kernel package of the distribution: ${line}`
  }
}
