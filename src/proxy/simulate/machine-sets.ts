import type { ByteString } from '../../net/byte-string.ts'
import type { Decoded } from '../../netlink/attribute-kinds.ts'
import type { expressions } from '../../netlink/nftables/expressions.ts'
import type { SetDefinition } from '../../netlink/nftables/objects.ts'
import { type RuleRun, type Step, verdictStep } from './machine-step.ts'
import { withEntry } from './machine-thread.ts'
import type { ElementHit } from './program-view.ts'

type Operands<N extends keyof typeof expressions> = Decoded<(typeof expressions)[N]>

/** NFT_LOOKUP_F_INV */
const invert = 1

/** Looks a key up. A miss ends the rule; in verdict maps the element's verdict is what follows. */
export function lookUp(operands: Operands<'lookup'>, run: RuleRun): Step {
  const set = setOf(run, operands.set)
  const key = run.registers.read(operands.sreg, set.keyBytes)
  const hit = find(run, set, key)
  const isInverted = ((operands.flags ?? 0) & invert) !== 0
  if (isInverted && operands.dreg !== undefined)
    throw new Error('an inverted look-up has no result')
  if ((hit !== undefined) === isInverted) return { kind: 'break' }
  if (hit?.comment !== undefined) note(run, `${set.name} "${hit.comment}"`)
  if (hit === undefined || operands.dreg === undefined) return { kind: 'continue' }
  if (operands.dreg === 0) return mappedVerdict(set, hit)
  if (set.data === undefined || set.data === 'verdict') {
    throw new Error(`${set.name} has no values to put into register ${operands.dreg}`)
  }
  if (hit.value?.length !== set.data.bytes) {
    throw new Error(`an element of ${set.name} has no value of ${set.data.bytes} bytes`)
  }
  run.registers.write(operands.dreg, hit.value)
  return { kind: 'continue' }
}

function mappedVerdict(set: SetDefinition, hit: ElementHit): Step {
  if (set.data !== 'verdict' || hit.verdict === undefined) {
    throw new Error(`${set.name} has no verdicts`)
  }
  return verdictStep(hit.verdict)
}

/** enum nft_dynset_ops */
const dynsetOps = { add: 0, update: 1, delete: 2 } as const

/** Writes or deletes an element of a dynamic set; false ends the rule. An element that is there
 *  keeps its data: the kernel's update only renews the time. */
export function writeElement(operands: Operands<'dynset'>, run: RuleRun): boolean {
  const set = setOf(run, operands.setName)
  if (!set.isDynamic) throw new Error(`packets cannot write to ${set.name}, which is not dynamic`)
  const key = run.registers.read(operands.sregKey, set.keyBytes)
  const value = dynamicValue(operands, run, set)
  const writes = new Map(run.thread.writes)
  if (operands.op === dynsetOps.delete) {
    writes.set(elementKey(set, key), undefined)
    run.thread = { ...run.thread, writes }
    return true
  }
  if (operands.op !== dynsetOps.add && operands.op !== dynsetOps.update) {
    throw new Error(`the machine does not know operation ${operands.op}`)
  }
  if (find(run, set, key) === undefined) writes.set(elementKey(set, key), value)
  run.thread = { ...run.thread, writes, timeoutMs: Number(operands.timeout ?? 0n) }
  return true
}

/** Maps need the data register for every operation, deletion too; sets have an empty value. */
function dynamicValue(operands: Operands<'dynset'>, run: RuleRun, set: SetDefinition): ByteString {
  if (set.data === 'verdict') throw new Error(`packets cannot write verdicts to ${set.name}`)
  if (set.data === undefined) return ''
  return run.registers.read(operands.sregData, set.data.bytes)
}

function find(run: RuleRun, set: SetDefinition, key: ByteString): ElementHit | undefined {
  const { table, dynamicElements } = run.scene
  if (set.isDynamic) {
    const written = elementKey(set, key)
    if (run.thread.writes.has(written)) {
      const value = run.thread.writes.get(written)
      return value === undefined ? undefined : { value }
    }
    if (dynamicElements === 'empty') return undefined
  }
  return table.view.elements.get(set.name)?.get(key)
}

function elementKey(set: SetDefinition, key: ByteString): string {
  return `${set.name}/${key}`
}

function setOf(run: RuleRun, name: string | undefined): SetDefinition {
  const set = name === undefined ? undefined : run.scene.table.sets.get(name)
  if (set === undefined) throw new Error(`there is no set ${name}`)
  return set
}

function note(run: RuleRun, entry: string): void {
  run.thread = { ...run.thread, trail: withEntry(run.thread.trail, entry) }
}
