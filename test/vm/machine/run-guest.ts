import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { guestRepository, guestSources } from './guest-sources.ts'
import { guestSystem } from './guest-system.ts'
import { type Kernel, prepareKernel } from './kernel.ts'
import { javaScriptName } from './module-texts.ts'

/** What the command left that ran in the guest. */
export interface GuestResult {
  /** Exit code of the command; undefined: the guest ended before it did. */
  readonly code: number | undefined
  /** What came over the serial console: the command's output, and the kernel's errors. */
  readonly output: string
}

const repository = new URL('../../..', import.meta.url).pathname
/** Outside of node_modules, which every clean installation empties. */
const cache = join(repository, '.cache/vm')
/** A guest that hangs is killed before the test runner gives up on the file. */
const timeoutMs = 280_000
const endMark = 'guest command ended with'

/** Brings the kernel, downloaded and unpacked at the first time. Throws with the tool's words when that fails:
 *  without network, say. */
export function prepareGuest(): Kernel {
  mkdirSync(cache, { recursive: true })
  return prepareKernel(cache)
}

/** Boots a Debian kernel in qemu and runs Node there as root, in a copy of the repository whose modules are
 *  JavaScript: file names of modules in `nodeArguments` change with them. Everything in the guest is in its
 *  memory, and nothing of this machine can be reached. Throws when the kernel cannot be prepared. */
export async function runGuest(
  nodeArguments: readonly string[],
  onOutput: (text: string) => void = () => {},
): Promise<GuestResult> {
  const kernel = prepareGuest()
  const image = join(cache, `image-${process.pid}.cpio`)
  try {
    writeImage(image, systemImage(kernel), guestSources(repository, initText(nodeArguments)))
    const output = await runMachine(machineArguments(kernel, image), (text) => {
      // The guest runs, so that its image is in memory; nothing is left of it if this process is killed.
      rmSync(image, { force: true })
      onOutput(text)
    })
    return readResult(output)
  } finally {
    rmSync(image, { force: true })
  }
}

async function runMachine(
  args: readonly string[],
  onOutput: (text: string) => void,
): Promise<string> {
  // The machine must not outlive a runner that is killed.
  const command = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args]
  const child = spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const collect = (chunk: Buffer): void => {
    const text = chunk.toString().replaceAll('\r\n', '\n')
    output += text
    onOutput(text)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  const timer = setTimeout(() => {
    output += `\nthe guest did not end within ${timeoutMs} ms and was killed\n`
    kill()
  }, timeoutMs)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.on('error', reject)
  child.on('close', () => resolve())
  await promise
  clearTimeout(timer)
  return output
}

function readResult(output: string): GuestResult {
  const at = output.lastIndexOf(endMark)
  const code = at < 0 ? undefined : Number.parseInt(output.slice(at + endMark.length), 10)
  return { code, output: at < 0 ? output : output.slice(0, at) }
}

/** The archive of the system, made when the kernel, Node or what belongs to it is another one. */
function systemImage(kernel: Kernel): string {
  const { size, mtimeMs } = statSync(process.execPath)
  const contents = readFileSync(new URL('./guest-system.ts', import.meta.url))
  const digest = createHash('sha256')
    .update(`${kernel.version} ${process.version} ${size} ${mtimeMs}`)
    .update(contents)
    .digest('hex')
  const path = join(cache, `system-${digest.slice(0, 16)}.cpio`)
  if (existsSync(path)) return path
  for (const old of globSync('system-*.cpio', { cwd: cache })) rmSync(join(cache, old))
  const part = `${path}.${process.pid}`
  writeFileSync(part, Buffer.concat(guestSystem(kernel)))
  renameSync(part, path)
  return path
}

function writeImage(image: string, system: string, sources: readonly Buffer[]): void {
  copyFileSync(system, image)
  appendFileSync(image, Buffer.concat(sources))
}

/** No self-tests, no random addresses: they cost an emulated machine seconds. The clock is the processor's
 *  counter: any other is a device, which takes long to read. */
function machineArguments(kernel: Kernel, image: string): readonly string[] {
  const append =
    'console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off random.trust_cpu=on net.ifnames=0 ' +
    'cryptomgr.notests nokaslr tsc=reliable'
  return [
    ...['-machine', 'q35', '-cpu', 'max,-pku', '-m', '2048', '-smp', '2', '-no-reboot'],
    ...['-nodefaults', '-display', 'none', '-serial', 'stdio', '-nic', 'none'],
    ...['-kernel', kernel.image, '-initrd', image, '-append', append],
  ]
}

function initText(nodeArguments: readonly string[]): string {
  const quoted = ['node', ...nodeArguments.map(javaScriptName)].map(
    (word) => `'${word.replaceAll("'", `'\\''`)}'`,
  )
  return `#!/bin/sh
export PATH=/bin HOME=/tmp PORTOLAN_GUEST=1 PORTOLAN_TEST_MODES=ipvs
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
echo /bin/modprobe > /proc/sys/kernel/modprobe
ip link set lo up
cd ${guestRepository}
${quoted.join(' ')} < /dev/null
echo "${endMark} $?"
poweroff -f
`
}
