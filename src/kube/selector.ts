import { DecodeError } from '../net/decode-error.ts'
import type { ResourceMeta } from './resources.ts'
import type { Selection } from './store.ts'

/** Whether an object is wanted. */
export type Matcher = (object: ResourceMeta) => boolean

/** Compiles a selection for sources that must filter themselves. Label selectors in the API's
 *  syntax (`a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`); of fields only metadata.name and
 *  metadata.namespace with = and !=. Throws a DecodeError for anything else. */
export function compileSelection(selection: Selection): Matcher {
  const matchers = [
    ...terms(selection.labelSelector ?? '').map(compileLabelTerm),
    ...terms(selection.fieldSelector ?? '').map(compileFieldTerm),
  ]
  return (object) => matchers.every((matches) => matches(object))
}

/** Commas separate terms, except inside the parentheses of a set. */
function terms(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '')
}

const setTerm = /^([^\s!=(),]+)\s+(in|notin)\s*\(([^()]*)\)$/
const equalTerm = /^([^\s!=(),]+)\s*(==?|!=)\s*([^\s!=(),]*)$/
const presentTerm = /^(!?)\s*([^\s!=(),]+)$/

function compileLabelTerm(term: string): Matcher {
  const present = presentTerm.exec(term)
  if (present?.[2] !== undefined) {
    const [, negation, label] = present
    return ({ labels }) => Object.hasOwn(labels, label ?? '') === (negation === '')
  }
  const equal = equalTerm.exec(term)
  const set = setTerm.exec(term)
  const [, label = '', operator = '', text = ''] = equal ?? set ?? []
  if (label === '') throw wrongTerm('labelSelector', term, 'key, !key, key=value or key in (a, b)')
  const values = new Set(text.split(',').map((value) => value.trim()))
  const isNegative = operator === '!=' || operator === 'notin'
  return ({ labels }) => {
    const value = Object.hasOwn(labels, label) ? labels[label] : undefined
    return (value !== undefined && values.has(value)) !== isNegative
  }
}

function compileFieldTerm(term: string): Matcher {
  const [, field = '', operator = '', value = ''] = equalTerm.exec(term) ?? []
  if (field !== 'metadata.name' && field !== 'metadata.namespace') {
    throw wrongTerm('fieldSelector', term, 'metadata.name=VALUE or metadata.namespace=VALUE')
  }
  const isNegative = operator === '!='
  return (object) => {
    const found = field === 'metadata.name' ? object.name : object.namespace
    return (found === value) !== isNegative
  }
}

function wrongTerm(member: string, value: string, expected: string): DecodeError {
  return new DecodeError('selection', [{ path: [member], value, expected }])
}
