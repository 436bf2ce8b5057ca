import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { unpackKernelImage } from './kernel-image.ts'

/** A kernel with its modules, unpacked and not installed. */
export interface Kernel {
  readonly version: string
  /** The file that qemu boots. */
  readonly image: string
  /** Holds lib/modules: modules of the network and what they need. */
  readonly root: string
}

/** The few modules of the package that the guest loads, and those that they depend on. */
const wanted = [
  './boot/vmlinuz-*',
  './lib/modules/*/modules.*',
  ...['arch/x86/crypto/crc32*', 'crypto/*', 'drivers/net/dummy.*', 'drivers/net/veth.*']
    .concat(['lib/libcrc32c.*', 'net/802/*', 'net/bridge/*', 'net/ipv4/*', 'net/ipv6/*'])
    .concat(['net/llc/*', 'net/netfilter/*', 'net/sctp/*'])
    .map((path) => `./lib/modules/*/kernel/${path}`),
]

/** The package is fetched within this time, or the network is taken for broken. */
const downloadTimeoutMs = 120_000

/** The kernel in the cache folder, or the present one of the distribution: downloaded with apt-get and
 *  unpacked there. Throws with the tool's words when that fails. */
export function prepareKernel(cache: string): Kernel {
  const root = join(cache, 'kernel')
  if (!existsSync(root)) unpack(cache, root)
  const [version] = readdirSync(join(root, 'lib/modules'))
  if (version === undefined) throw new Error(`${root}: holds no modules; remove it and try again`)
  return { version, image: join(root, 'vmlinux'), root }
}

function unpack(cache: string, root: string): void {
  const work = join(cache, 'download')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(join(work, 'kernel'), { recursive: true })
  const name = packageName()
  run(work, 'apt-get', ['download', name])
  const [file] = readdirSync(work).filter((each) => each.endsWith('.deb'))
  if (file === undefined) throw new Error(`apt-get download ${name}: left no package`)
  const patterns = wanted.map((pattern) => `'${pattern}'`).join(' ')
  const script = `dpkg-deb --fsys-tarfile '${file}' | tar -x -C kernel --wildcards ${patterns}`
  run(work, 'bash', ['-o', 'pipefail', '-c', script])
  const [version = ''] = readdirSync(join(work, 'kernel/lib/modules'))
  run(work, '/sbin/depmod', ['-b', join(work, 'kernel'), version])
  const packed = readFileSync(join(work, 'kernel/boot', `vmlinuz-${version}`))
  writeFileSync(join(work, 'kernel/vmlinux'), unpackKernelImage(packed))
  renameSync(join(work, 'kernel'), root)
  rmSync(work, { recursive: true, force: true })
}

/** The package that the distribution's current kernel package asks for. */
function packageName(): string {
  const text = execFileSync('apt-cache', ['show', '--no-all-versions', 'linux-image-amd64'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const name = text.match(/^Depends:.*?(linux-image-[\w.+-]+)/m)?.[1]
  if (name === undefined) throw new Error('apt-cache show linux-image-amd64: names no kernel')
  return name
}

function run(cwd: string, command: string, args: readonly string[]): void {
  const stdio = ['ignore', 'ignore', 'pipe'] as const
  execFileSync(command, args, { cwd, stdio: [...stdio], timeout: downloadTimeoutMs })
}
