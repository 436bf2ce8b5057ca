import { execFileSync } from 'node:child_process'
import { globSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { findBinary } from '../../../scripts/support/find-binary.ts'
import { FileArchive } from './file-archive.ts'
import type { Kernel } from './kernel.ts'

/** Programs of this machine that the guest has beside busybox; the optional ones where they are. */
const programs = ['ip', 'nft', 'kmod'] as const
const optionalPrograms = ['ipvsadm', 'conntrack'] as const
/** Both variants of iptables: each one program with many names. The names without a variant are nf_tables'. */
const iptablesVariants = { nft: 'xtables-nft-multi', legacy: 'xtables-legacy-multi' } as const
/** What `nft` names protocols and ports by. */
const tables = ['/etc/protocols', '/etc/services'] as const

/** The part of the guest's file system that only changes with the machine: busybox, Node, network programs with
 *  their libraries, kernel modules. Everything is in memory there: a shared folder costs so much per file
 *  that starting Node took ten times as long. */
export function guestSystem(kernel: Kernel): readonly Buffer[] {
  const archive = new FileArchive()
  for (const folder of ['/dev', '/proc', '/sys', '/tmp', '/run', '/var/tmp'])
    archive.addFolder(folder)
  addProgram(archive, 'busybox', findBinary('busybox'))
  archive.addLink('/bin/sh', 'busybox')
  addProgram(archive, 'node', process.execPath)
  for (const name of programs) addProgram(archive, name, findBinary(name))
  for (const name of ['modprobe', 'lsmod']) archive.addLink(`/bin/${name}`, 'kmod')
  for (const name of optionalPrograms) {
    const path = findBinary(name)
    if (path !== undefined) addProgram(archive, name, path)
  }
  addIptables(archive)
  const all = [...programs, ...optionalPrograms, ...Object.values(iptablesVariants)]
  const files = [process.execPath, ...all.flatMap(pathOf), ...iptablesExtensions()]
  for (const library of librariesOf(files)) archive.addFile(library, readFileSync(library), 0o755)
  for (const table of tables) archive.addFile(table, readFileSync(table))
  addFolder(archive, join(kernel.root, 'lib/modules'), '/lib/modules')
  return archive.finish()
}

/** Adds all files below a folder that `isWanted`; `path` is relative to it. */
export function addFolder(
  archive: FileArchive,
  folder: string,
  target: string,
  isWanted: (path: string) => boolean = () => true,
): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const source = join(entry.parentPath, entry.name)
    const path = source.slice(folder.length + 1)
    if (isWanted(path)) archive.addFile(`${target}/${path}`, readFileSync(source))
  }
}

function addProgram(archive: FileArchive, name: string, path: string | undefined): void {
  if (path === undefined) throw new Error(`the guest needs the program ${name}`)
  archive.addFile(`/bin/${name}`, readFileSync(realpathSync(path)), 0o755)
}

function addIptables(archive: FileArchive): void {
  for (const [variant, program] of Object.entries(iptablesVariants)) {
    const path = findBinary(program)
    if (path === undefined) continue
    addProgram(archive, program, path)
    for (const family of ['iptables', 'ip6tables']) {
      for (const verb of ['', '-save', '-restore']) {
        archive.addLink(`/bin/${family}-${variant}${verb}`, program)
        if (variant === 'nft') archive.addLink(`/bin/${family}${verb}`, program)
      }
    }
  }
  for (const path of iptablesExtensions()) archive.addFile(path, readFileSync(path), 0o755)
}

/** What the programs load for matches and targets. */
function iptablesExtensions(): readonly string[] {
  return globSync('/usr/lib/*/xtables/*.so')
}

function pathOf(name: string): string[] {
  const path = findBinary(name)
  return path === undefined ? [] : [path]
}

/** Absolute paths of what the dynamic linker would load for these programs. */
function librariesOf(files: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>()
  for (const file of files) {
    const text = execFileSync('ldd', [file], { encoding: 'utf8' })
    for (const [path] of text.matchAll(/\/\S+(?= \(0x)/g)) found.add(path)
  }
  return found
}
