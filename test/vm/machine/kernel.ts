import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** A kernel with its modules, unpacked and not installed. */
export interface Kernel {
  readonly version: string
  /** The bzImage. */
  readonly image: string
  /** What `modprobe -d` takes: the folder that holds lib/modules. */
  readonly root: string
}

/** Parts of the package that the guest can use; the whole is five times as large. */
const wanted = [
  './boot/vmlinuz-*',
  './lib/modules/*/modules.*',
  ...['arch/x86', 'crypto', 'drivers/net', 'drivers/virtio', 'fs/9p', 'fs/fscache', 'fs/netfs']
    .concat(['lib', 'net'])
    .map((folder) => `./lib/modules/*/kernel/${folder}/*`),
]

/** The kernel in the cache folder, or the present one of the distribution: downloaded with apt-get and
 *  unpacked there. Throws with the tool's words when that fails. */
export function prepareKernel(cache: string): Kernel {
  const root = join(cache, 'kernel')
  if (!existsSync(root)) unpack(cache, root)
  const [version] = readdirSync(join(root, 'lib/modules'))
  if (version === undefined) throw new Error(`${root}: holds no modules; remove it and try again`)
  return { version, image: join(root, `boot/vmlinuz-${version}`), root }
}

function unpack(cache: string, root: string): void {
  const work = join(cache, 'download')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(join(work, 'kernel'), { recursive: true })
  run(work, 'apt-get', ['download', packageName()])
  const [file] = readdirSync(work).filter((name) => name.endsWith('.deb'))
  if (file === undefined) throw new Error(`apt-get download ${packageName()}: left no package`)
  const patterns = wanted.map((pattern) => `'${pattern}'`).join(' ')
  const script = `dpkg-deb --fsys-tarfile '${file}' | tar -x -C kernel --wildcards ${patterns}`
  run(work, 'bash', ['-o', 'pipefail', '-c', script])
  const [version = ''] = readdirSync(join(work, 'kernel/lib/modules'))
  run(work, '/sbin/depmod', ['-b', join(work, 'kernel'), version])
  renameSync(join(work, 'kernel'), root)
  rmSync(work, { recursive: true, force: true })
}

/** The package that the distribution's current kernel package asks for. */
function packageName(): string {
  const text = execFileSync('apt-cache', ['show', '--no-all-versions', 'linux-image-amd64'], {
    encoding: 'utf8',
  })
  const name = text.match(/^Depends:.*?(linux-image-[\w.+-]+)/m)?.[1]
  if (name === undefined) throw new Error('apt-cache show linux-image-amd64: names no kernel')
  return name
}

function run(cwd: string, command: string, args: readonly string[]): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
}
