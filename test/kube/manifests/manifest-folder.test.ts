import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ManifestFolder } from '../../../src/kube/manifests/manifest-folder.ts'
import { FakeClock } from '../fake-clock.ts'

const test = suite('kube/manifests/manifest-folder')

interface World {
  readonly root: string
  readonly clock: FakeClock
  /** What the listener was told, in order: `changed a.yaml text`, `removed a.yaml`, ... */
  readonly told: string[]
  /** The next thing that the listener is told. */
  next(): Promise<string>
}

async function withFolder(
  files: Readonly<Record<string, string>>,
  run: (world: World) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'folder-'))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(root, file, '..'), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  const told: string[] = []
  const takers: ((line: string) => void)[] = []
  const tell = (line: string): void => {
    told.push(line)
    takers.shift()?.(line)
  }
  const clock = new FakeClock()
  const folder = new ManifestFolder(
    root,
    {
      changed: (file, text) => tell(`changed ${file} ${text}`),
      removed: (file) => tell(`removed ${file}`),
      failed: (file, error) => tell(`failed ${file}: ${error.reason}`),
      restored: () => {},
    },
    { maxFiles: 3, maxFileBytes: 100 },
    clock,
  )
  const next = (): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>()
    takers.push(resolve)
    return promise
  }
  try {
    await folder.open()
    await run({ root, clock, told, next })
  } finally {
    folder.close()
    rmSync(root, { recursive: true, force: true })
  }
}

/** Does something that the file system notifies of, and lets the settling time pass. */
async function settle(clock: FakeClock, change: () => void): Promise<void> {
  const noticed = clock.scheduled(50)
  change()
  await noticed
  clock.advance(50)
}

/** Lets time pass until something is told: reading files takes turns of its own. */
async function elapse(clock: FakeClock, line: Promise<string>): Promise<string> {
  let isTold = false
  void line.then(() => {
    isTold = true
  })
  while (!isTold) {
    clock.advance(50)
    await new Promise(setImmediate)
  }
  return line
}

test('files are read in the order of their names, folders included, hidden ones not', async () => {
  const files = { 'b.yml': '2', 'a/x.json': '1', '.git/c.yaml': '0', 'd.txt': '0', '.e.yaml': '0' }
  await withFolder(files, async ({ told }) => {
    assert.equal(told, ['changed a/x.json 1', 'changed b.yml 2'])
  })
})

test('a change is read after 50 ms without another one', async () => {
  await withFolder({ 'a.yaml': '1' }, async ({ root, clock, told, next }) => {
    const noticed = clock.scheduled(50)
    writeFileSync(join(root, 'a.yaml'), '22')
    await noticed
    clock.advance(49)
    assert.is(told.length, 1)
    const line = next()
    assert.is(await elapse(clock, line), 'changed a.yaml 22')
  })
})

test('an emptied file is believed only at the second look', async () => {
  await withFolder({ 'a.yaml': '1' }, async ({ root, clock, told, next }) => {
    const secondLook = clock.scheduled(250)
    await settle(clock, () => writeFileSync(join(root, 'a.yaml'), ''))
    await secondLook
    assert.equal(told, ['changed a.yaml 1'])
    const line = next()
    assert.is(await elapse(clock, line), 'changed a.yaml ')
  })
})

test('a mounted ConfigMap that is swapped by its link is read again', async () => {
  await withFolder(
    { '..1/a.yaml': 'old', '..2/a.yaml': 'new' },
    async ({ root, clock, told, next }) => {
      assert.equal(told, [])
      symlinkSync('..1', join(root, '..data'))
      let line = next()
      await settle(clock, () => symlinkSync('..data/a.yaml', join(root, 'a.yaml')))
      assert.is(await elapse(clock, line), 'changed a.yaml old')
      symlinkSync('..2', join(root, '..tmp'))
      line = next()
      await settle(clock, () => renameSync(join(root, '..tmp'), join(root, '..data')))
      assert.is(await elapse(clock, line), 'changed a.yaml new')
    },
  )
})

test('files over the bounds are refused, the others count', async () => {
  const files = {
    'a.yaml': 'x'.repeat(101),
    'b.yaml': '1',
    'c.yaml': '2',
    'd.yaml': '3',
    'e.yaml': '4',
  }
  await withFolder(files, async ({ told }) => {
    assert.equal(told, [
      'failed a.yaml: 101 bytes, expected at most 100',
      'changed b.yaml 1',
      'changed c.yaml 2',
      'changed d.yaml 3',
      'failed e.yaml: one file too many, expected at most 3',
    ])
  })
})

test('a folder that vanishes as a whole keeps its files until it is back', async () => {
  await withFolder({ 'a.yaml': '1', 'b.yaml': '2' }, async ({ root, clock, told, next }) => {
    let line = next()
    await settle(clock, () => renameSync(root, `${root}-away`))
    assert.is(
      await elapse(clock, line),
      'failed : the folder cannot be read; its last content stays until it is back',
    )
    rmSync(join(`${root}-away`, 'b.yaml'))
    renameSync(`${root}-away`, root)
    line = next()
    assert.is(await elapse(clock, line), 'removed b.yaml')
    assert.is(told.length, 4)
  })
})

test.run()
