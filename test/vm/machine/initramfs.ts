import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import type { Kernel } from './kernel.ts'

/** What the guest needs to reach the host's files; everything else is loaded from there. */
const firstModules = ['virtio_pci', '9pnet_virtio', '9p']

/** Builds the first file system of the guest, or takes it from the cache: busybox, a few modules, and an
 *  init that mounts the host's files read-only and goes on there with `script`. */
export function buildInitramfs(cache: string, kernel: Kernel, script: string): string {
  const image = join(cache, `initramfs-${kernel.version}.cpio.gz`)
  if (existsSync(image)) return image
  const tree = join(cache, 'initramfs')
  rmSync(tree, { recursive: true, force: true })
  for (const folder of ['bin', 'dev', 'host', 'modules', 'proc']) {
    mkdirSync(join(tree, folder), { recursive: true })
  }
  copyFileSync('/bin/busybox', join(tree, 'bin/busybox'))
  symlinkSync('busybox', join(tree, 'bin/sh'))
  const modules = modulesInOrder(kernel)
  for (const module of modules) copyFileSync(module, join(tree, 'modules', basename(module)))
  const init = initText(
    modules.map((module) => basename(module)),
    script,
  )
  writeFileSync(join(tree, 'init'), init)
  chmodSync(join(tree, 'init'), 0o755)
  const pack = `find . | cpio -o -H newc --quiet | gzip -1 > '${image}.part' && mv '${image}.part' '${image}'`
  execFileSync('sh', ['-c', pack], { cwd: tree })
  rmSync(tree, { recursive: true })
  return image
}

function modulesInOrder(kernel: Kernel): readonly string[] {
  const { root, version } = kernel
  const args = ['-d', root, '-S', version, '--show-depends', '-a', ...firstModules]
  const text = execFileSync('/sbin/modprobe', args, { encoding: 'utf8' })
  const paths = [...text.matchAll(/^insmod (\S+)/gm)].map(([, path = '']) => path)
  return [...new Set(paths)]
}

function initText(modules: readonly string[], script: string): string {
  const options = 'trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144'
  return `#!/bin/sh
export PATH=/bin
busybox mount -t proc proc /proc
${modules.map((module) => `busybox insmod /modules/${module}`).join('\n')}
busybox mount -t 9p -o ${options} host /host || busybox poweroff -f
busybox umount /proc
busybox mount -t devtmpfs devtmpfs /host/dev
exec busybox switch_root /host /bin/sh ${script}
`
}
