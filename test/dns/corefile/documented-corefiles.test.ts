import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkCorefile } from '../../../src/dns/corefile/check-corefile.ts'
import { directives } from '../../../src/dns/corefile/directives.ts'

const text = readFileSync(new URL('../../../docs/dns.md', import.meta.url), 'utf8')
const fences = [...text.matchAll(/```corefile\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')

const documented = suite('docs/dns.md')

documented('has Corefiles, and all of them are accepted', () => {
  assert.ok(fences.length > 0)
  for (const fence of fences) {
    const options = { environment: {}, importFiles: () => undefined, defaultPort: 53 }
    assert.not.throws(() => checkCorefile('docs/dns.md', fence, options))
  }
})

documented('names every directive', () => {
  const missing = Object.keys(directives).filter((name) => !text.includes(`\`${name}\``))
  assert.equal(missing, [])
})

documented.run()
