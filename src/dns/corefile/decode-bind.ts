import { argumentsOf, decodeOptions } from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import type { Token } from './token.ts'

/** The `bind` directive: addresses or names of interfaces. */
export interface BindSettings {
  readonly listen: readonly Token[]
  readonly except: readonly Token[]
}

/** Decodes `bind ADDRESS|INTERFACE... { except ... }`. */
export function decodeBind(entry: Entry): BindSettings {
  let except: readonly Token[] = []
  decodeOptions(entry, {
    except: (option) => {
      except = argumentsOf(option, { min: 1 })
    },
  })
  return { listen: argumentsOf(entry, { min: 1 }), except }
}
