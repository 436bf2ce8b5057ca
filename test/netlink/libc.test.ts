import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { errnoName, errnoText } from '../../src/netlink/errno.ts'

const test = suite('netlink/libc')
const libc = new URL('../../src/netlink/libc.ts', import.meta.url).href

/** Standard output of a module in a process of its own. */
function run(program: string): string {
  const args = ['--input-type=module', '-e', program]
  return execFileSync(process.execPath, args, { encoding: 'utf8' })
}

test('the file can be imported where there is no netlink; the first call says why it fails', () => {
  const output = run(`
    Object.defineProperty(process, 'platform', { value: 'darwin' })
    const { libc } = await import(${JSON.stringify(libc)})
    try { libc() } catch (error) { console.log(error.message) }`)
  assert.match(
    output,
    /^netlink: darwin has none, only Linux does; run this command on a Linux node/,
  )
})

test('a missing FFI package is named with what to do', () => {
  const output = run(`
    import module from 'node:module'
    const resolve = module._resolveFilename
    module._resolveFilename = (name, ...rest) => {
      if (name === 'koffi') throw new Error('no such package')
      return resolve(name, ...rest)
    }
    const { libc } = await import(${JSON.stringify(libc)})
    try { libc() } catch (error) { console.log(error.message) }`)
  assert.match(
    output,
    /^netlink: the FFI package koffi does not load on .*: no such package; reinstall/,
  )
})

test('errno numbers have the names and words that people search for', () => {
  assert.equal([errnoName(17), errnoText(17)], ['EEXIST', 'File exists'])
  assert.equal(
    [errnoName(95), errnoName(113), errnoName(99_999)],
    ['EOPNOTSUPP', 'EHOSTUNREACH', 'E99999'],
  )
})

test.run()
