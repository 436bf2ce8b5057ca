import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { buildInitramfs } from './initramfs.ts'
import { type Kernel, prepareKernel } from './kernel.ts'

/** What the command left that ran in the guest. */
export interface GuestResult {
  /** Exit code of the command; undefined: the guest ended before it did. */
  readonly code: number | undefined
  /** What came over the serial console: the command's output, and the kernel's errors. */
  readonly output: string
}

const cache = new URL('../../../node_modules/.cache/portolan-vm', import.meta.url).pathname
const repository = new URL('../../..', import.meta.url).pathname
/** What Node compiles in the guest; without it an emulated machine spends most of its time on that. */
const compiled = join(cache, 'compiled')
/** A guest that hangs is killed before the test runner gives up on the file. */
const timeoutMs = 280_000
const endMark = 'guest command ended with'

/** Brings the kernel, downloaded and unpacked at the first time. Throws with the tool's words when that fails:
 *  without network, say. */
export function prepareGuest(): Kernel {
  mkdirSync(compiled, { recursive: true })
  return prepareKernel(cache)
}

/** Boots a Debian kernel in qemu, with the files of this machine read-only and /tmp and /run of its own, and
 *  runs Node there as root in the repository. Never two at a time: the script is shared. Throws when the kernel
 *  cannot be prepared. */
export async function runGuest(nodeArguments: readonly string[]): Promise<GuestResult> {
  const kernel = prepareGuest()
  const script = join(cache, 'guest.sh')
  const initramfs = buildInitramfs(cache, kernel, script)
  writeFileSync(script, guestText(kernel, nodeArguments))
  writeFileSync(join(cache, 'modprobe'), `#!/bin/sh\nexec /sbin/modprobe -d ${kernel.root} "$@"\n`)
  chmodSync(join(cache, 'modprobe'), 0o755)
  const child = spawn('qemu-system-x86_64', machineArguments(kernel, initramfs), {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const collect = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const timer = setTimeout(() => {
    output += `\nthe guest did not end within ${timeoutMs} ms and was killed\n`
    child.kill('SIGKILL')
  }, timeoutMs)
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', kill)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.on('error', reject)
  child.on('close', () => resolve())
  await promise
  clearTimeout(timer)
  process.off('exit', kill)
  return readResult(output.replaceAll('\r\n', '\n'))
}

function readResult(output: string): GuestResult {
  const at = output.lastIndexOf(endMark)
  const code = at < 0 ? undefined : Number.parseInt(output.slice(at + endMark.length), 10)
  return { code, output: at < 0 ? output : output.slice(0, at) }
}

function machineArguments(kernel: Kernel, initramfs: string): readonly string[] {
  const append =
    'console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off random.trust_cpu=on net.ifnames=0'
  return [
    ...['-machine', 'q35', '-cpu', 'max,-pku', '-m', '2048', '-smp', '2', '-no-reboot'],
    ...['-nodefaults', '-display', 'none', '-serial', 'stdio', '-nic', 'none'],
    ...['-kernel', kernel.image, '-initrd', initramfs, '-append', append],
    '-virtfs',
    'local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap',
    '-virtfs',
    `local,path=${compiled},mount_tag=compiled,security_model=none`,
  ]
}

function guestText(kernel: Kernel, nodeArguments: readonly string[]): string {
  const words = [process.execPath, ...nodeArguments].map((word) => `'${word}'`).join(' ')
  return `export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
echo ${cache}/modprobe > /proc/sys/kernel/modprobe
ip link set lo up
mkdir /tmp/compiled
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 compiled /tmp/compiled
export NODE_COMPILE_CACHE=/tmp/compiled
cd ${repository}
export PORTOLAN_GUEST_MODULES=${kernel.root}
${words}
echo "${endMark} $?"
sync
/bin/busybox poweroff -f
`
}
