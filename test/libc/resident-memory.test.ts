import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cleanMappings, openResidentMemory } from '../../src/libc/resident-memory.ts'

const memory = suite('libc/resident-memory')

const mapping = (head: string, rss: number, anonymous: number): string =>
  `${head}\nSize:  9000 kB\nRss:  ${rss} kB\nAnonymous:  ${anonymous} kB\nVmFlags: rd mr\n`

const rows: readonly [string, string, boolean][] = [
  ['code of the program', mapping('1000-3000 r-xp 0 fe:00 7   /bin/it', 2_000, 0), true],
  ['a page that was changed', mapping('1000-3000 r--p 0 fe:00 7   /bin/it', 2_000, 4), false],
  ['what can be written to', mapping('1000-3000 rw-p 0 fe:00 7   /bin/it', 2_000, 0), false],
  ['another file', mapping('1000-3000 r-xp 0 fe:00 7   /lib/other', 2_000, 0), false],
  ['no file', mapping('1000-3000 r-xp 0 00:00 0', 2_000, 0), false],
  ['little', mapping('1000-3000 r-xp 0 fe:00 7   /bin/it', 20, 0), false],
]
for (const [title, text, isClean] of rows) {
  memory(`${title} is ${isClean ? '' : 'not '}given back`, () => {
    const expected = isClean ? [{ address: 0x1000, byteCount: 0x2000 }] : []
    assert.equal(cleanMappings(text, '/bin/it'), expected)
  })
}

memory('a process that gives its pages back is smaller and goes on', async () => {
  const before = fileKilobytes()
  const resident = openResidentMemory()
  await resident.release()
  const after = fileKilobytes()
  assert.ok(after < before / 2, `${before} kB before, ${after} kB after`)
  await resident.release()
})

/** Pages of files that are real. */
function fileKilobytes(): number {
  return Number(/RssFile:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}

memory.run()
