import type { CliIo } from '../../src/cli/subcommand.ts'

/** What a command is given instead of a terminal, and everything that it prints there. */
export function capturedIo(): { readonly io: CliIo; readonly printed: string[] } {
  const printed: string[] = []
  const print = (text: string): void => {
    printed.push(text)
  }
  return { io: { out: print, error: print, environment: {}, hostname: 'here' }, printed }
}
