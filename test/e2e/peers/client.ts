/** A client in a network namespace: one request a line on its input (requests.ts), one answer a line on
 *  its output, in the same order. It ends when its input ends. */
import process from 'node:process'
import { createInterface } from 'node:readline'
import { never } from '../../../src/net/never.ts'
import { connectOnce, type HeldFlow, openFlow } from './flows.ts'
import { ping } from './ping.ts'
import { AnswerCounter, type Answers, failureReason, type Request } from './requests.ts'

/** Flows opened at once: more would overrun the listener's backlog. */
const parallelOpens = 50

/** Generous: a thousand connections on two busy cores; in the virtual machine each takes longer. */
const holdTimeoutMs = process.env.PORTOLAN_GUEST === undefined ? 10_000 : 40_000

const held = new Map<string, HeldFlow[]>()

for await (const line of createInterface({ input: process.stdin })) {
  const answers = await answer(JSON.parse(line) as Request)
  process.stdout.write(`${JSON.stringify(answers)}\n`)
}
process.exit(0)

async function answer(request: Request): Promise<Answers> {
  const counter = new AnswerCounter()
  switch (request.kind) {
    case 'connect':
      for (let index = 0; index < request.count; index++) {
        await count(counter, () => connectOnce(request, request.timeoutMs))
      }
      break
    case 'hold':
      await hold(request, counter)
      break
    case 'verify':
      await Promise.all(
        (held.get(request.held) ?? []).map((flow) =>
          count(counter, () => flow.ask(request.timeoutMs)),
        ),
      )
      break
    case 'release':
      for (const flow of held.get(request.held) ?? []) flow.close()
      held.delete(request.held)
      break
    case 'ping':
      counter.failed(await ping(request.address, request.timeoutMs))
      break
    default:
      return never(request)
  }
  return counter.answers()
}

async function hold(
  request: Extract<Request, { readonly kind: 'hold' }>,
  counter: AnswerCounter,
): Promise<void> {
  const flows: HeldFlow[] = []
  const open = async (): Promise<void> => {
    while (flows.length < request.count) {
      const flow = openFlow(request)
      flows.push(flow)
      await count(counter, () => flow.ask(holdTimeoutMs))
    }
  }
  await Promise.all(Array.from({ length: parallelOpens }, open))
  held.set(request.held, flows)
}

async function count(
  counter: AnswerCounter,
  ask: () => ReturnType<HeldFlow['ask']>,
): Promise<void> {
  try {
    counter.answered(await ask())
  } catch (error) {
    counter.failed(failureReason(error))
  }
}
