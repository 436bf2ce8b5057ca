import process from 'node:process'

/** How many flows a test opens: `usual`, or `emulated` in the virtual machine, where each takes tens of
 *  milliseconds. Virtual servers take turns there, so that few flows meet every endpoint. */
export function flowCount(usual: number, emulated: number): number {
  return process.env.PORTOLAN_GUEST === undefined ? usual : emulated
}
