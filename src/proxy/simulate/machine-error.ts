/** A program that the kernel would refuse, that breaks one of our promises (a mark kept, one verdict
 *  for one flow), or that uses what the simulator does not know. The message names the place. */
export class MachineError extends Error {
  readonly code = 'PORTOLAN_MACHINE'

  constructor(place: string, message: string) {
    super(`${place}: ${message}`)
    this.name = 'MachineError'
  }
}
