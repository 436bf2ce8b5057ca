import { familyOf, readAddress } from '../../net/address.ts'
import { type ByteString, fromByteString, toByteString } from '../../net/byte-string.ts'
import { never } from '../../net/never.ts'
import type { Decoded } from '../../netlink/attribute-kinds.ts'
import type { Expression, expressions } from '../../netlink/nftables/expressions.ts'
import { loadConntrack, loadFib, loadMeta, loadPayload, storeMeta } from './machine-loads.ts'
import { lookUp, writeElement } from './machine-sets.ts'
import { type RuleRun, type Step, verdictStep } from './machine-step.ts'

const proceed: Step = { kind: 'continue' }
const miss: Step = { kind: 'break' }

type Operands<N extends keyof typeof expressions> = Decoded<(typeof expressions)[N]>

/** Runs one expression. Throws with a reason where the kernel would refuse the rule, or where the
 *  machine does not know the expression. */
export function execute(expression: Expression, run: RuleRun): Step {
  switch (expression.name) {
    case 'immediate':
      return immediate(expression.data, run)
    case 'bitwise':
      return bitwise(expression.data, run)
    case 'cmp':
      return compare(expression.data, run) ? proceed : miss
    case 'lookup':
      return lookUp(expression.data, run)
    case 'dynset':
      return writeElement(expression.data, run) ? proceed : miss
    case 'payload':
      return loadPayload(expression.data, run) ? proceed : miss
    case 'meta':
      if (expression.data.sreg === undefined) loadMeta(expression.data, run)
      else storeMeta(expression.data, run)
      return proceed
    case 'ct':
      loadConntrack(expression.data, run)
      return proceed
    case 'fib':
      loadFib(expression.data, run)
      return proceed
    case 'numgen':
      return choice(expression.data)
    case 'nat':
      return destinationNat(expression.data, run)
    case 'masq':
      requireNatHook(run, ['postrouting'])
      return { kind: 'masquerade' }
    case 'reject':
      if (run.scene.hook.hook === 'postrouting')
        throw new Error('reject is not allowed in postrouting')
      return { kind: 'reject' }
    case 'counter':
      return proceed
    // What is simulated is the first packet of a flow that comes from elsewhere.
    case 'socket':
      return miss
    case 'hash':
    case 'match':
    case 'range':
    case 'redir':
    case 'target':
    case 'notrack':
    case 'unknown':
      throw new Error('the machine does not know this expression')
    default:
      return never(expression)
  }
}

function immediate(operands: Operands<'immediate'>, run: RuleRun): Step {
  const { verdict, value } = operands.data ?? {}
  if (verdict !== undefined) return verdictStep(verdict)
  if (value === undefined) throw new Error('the expression has neither a value nor a verdict')
  run.registers.write(operands.dreg, toByteString(value))
  return proceed
}

function bitwise(operands: Operands<'bitwise'>, run: RuleRun): Step {
  const length = operands.len ?? 0
  const mask = operands.mask?.value
  const xor = operands.xor?.value
  if ((operands.op ?? 0) !== 0) throw new Error('only mask and xor are known to the machine')
  if (mask?.length !== length || xor?.length !== length) {
    throw new Error(`mask and xor must have ${length} bytes`)
  }
  const source = fromByteString(run.registers.read(operands.sreg, length))
  const result = source.map((byte, index) => (byte & (mask[index] ?? 0)) ^ (xor[index] ?? 0))
  run.registers.write(operands.dreg, toByteString(result))
  return proceed
}

/** enum nft_cmp_ops, over the answer of a byte-wise comparison. */
const comparisons: readonly ((order: number) => boolean)[] = [
  (order) => order === 0,
  (order) => order !== 0,
  (order) => order < 0,
  (order) => order <= 0,
  (order) => order > 0,
  (order) => order >= 0,
]

function compare(operands: Operands<'cmp'>, run: RuleRun): boolean {
  const expected = operands.data?.value
  const holds = comparisons[operands.op ?? -1]
  if (expected === undefined || holds === undefined) throw new Error('operator or value is missing')
  const found = run.registers.read(operands.sreg, expected.length)
  return holds(Buffer.compare(fromByteString(found), expected))
}

/** More values than this are not enumerated; the largest pools have 16,384 slots. */
const choiceLimit = 1 << 17

function choice(operands: Operands<'numgen'>): Step {
  const count = operands.modulus ?? 0
  if (count < 1 || count > choiceLimit) {
    throw new Error(`modulus ${count}: expected 1..${choiceLimit}`)
  }
  return { kind: 'choice', register: operands.dreg, count, offset: operands.offset ?? 0 }
}

/** Families of nat expressions: NFPROTO_IPV4, NFPROTO_IPV6. */
const natFamilies = { ip: 2, ip6: 10 } as const

function destinationNat(operands: Operands<'nat'>, run: RuleRun): Step {
  const { packet, table } = run.scene
  const { family } = packet.flow
  if (operands.type !== 1) throw new Error('only destination NAT is known to the machine')
  if (operands.family !== natFamilies[table.view.table.family]) {
    throw new Error(`family ${operands.family} does not fit the table`)
  }
  requireNatHook(run, ['prerouting', 'output'])
  const { regAddrMin, regProtoMin } = operands
  const address =
    regAddrMin === undefined
      ? packet.destination
      : readAddress(
          fromByteString(run.registers.read(regAddrMin, family === 4 ? 4 : 16)),
          0,
          family,
        )
  if (familyOf(address) !== family) throw new Error(`the address ${address} is of another family`)
  const port =
    regProtoMin === undefined
      ? packet.destinationPort
      : portNumber(run.registers.read(regProtoMin, 2))
  return { kind: 'dnat', address, port }
}

function portNumber(bytes: ByteString): number {
  return bytes.charCodeAt(0) * 256 + bytes.charCodeAt(1)
}

function requireNatHook(run: RuleRun, hooks: readonly string[]): void {
  const { type, hook } = run.scene.hook
  if (type !== 'nat' || !hooks.includes(hook)) {
    throw new Error(`only allowed in nat chains at ${hooks.join(', ')}, not in ${type} ${hook}`)
  }
}
