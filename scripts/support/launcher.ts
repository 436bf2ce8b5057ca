/** The text of the file that `portolan` starts. It parses and runs on every Node since version 14, so
 *  that one too old for the rest gives one clear line. `range` is `engines.node`: `>=MAJOR.MINOR`. */
export function launcherText(range: string): string {
  const match = range.match(/^>=(\d+)\.(\d+)$/)
  if (match === null) throw new Error(`engines.node: got "${range}", expected >=MAJOR.MINOR`)
  const [, major, minor] = match
  return `#!/usr/bin/env node
import process from 'node:process'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < ${major} || (major === ${major} && minor < ${minor})) {
  process.stderr.write(
    'portolan: this is Node ' + process.versions.node + ' (' + process.execPath + '), ' +
      'portolan needs ${major}.${minor} or newer: install a newer Node and try again\\n',
  )
  process.exit(1)
}
await import('./cli/main.js')
`
}
