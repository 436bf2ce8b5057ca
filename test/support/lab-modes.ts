import process from 'node:process'
import { iptablesMode } from './iptables-mode.ts'
import { ipvsMode } from './ipvs-mode.ts'
import type { LabMode } from './lab-mode.ts'
import { nftablesMode } from './nftables-mode.ts'
import { userspaceMode } from './userspace-mode.ts'

/** The modes that suites are to run in. Throws when one is asked for that does not exist. */
export function labModes(): readonly LabMode[] {
  const asked = process.env[modesVariable]?.split(',')
  if (asked === undefined) return allModes
  return asked.map((title) => {
    const mode = [...allModes, ipvsMode].find((each) => each.title === title)
    if (mode !== undefined) return mode
    const titles = [...allModes, ipvsMode].map((each) => each.title).join(', ')
    throw new Error(`${modesVariable}: got "${title}", expected ${titles}`)
  })
}

/** Names modes, separated by commas, that tests run in; without it in every one that the machine has. */
const modesVariable = 'PORTOLAN_TEST_MODES'

/** Not ipvs, which few kernels have: test/vm boots one and asks for it. */
const allModes: readonly LabMode[] = [
  nftablesMode,
  iptablesMode('nf_tables'),
  iptablesMode('legacy'),
  userspaceMode,
]
