import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { simulateIptablesSave } from '../../src/proxy/simulate/simulate-iptables-save.ts'
import { simulateNftJson } from '../../src/proxy/simulate/simulate-nft-json.ts'
import type { Simulation } from '../../src/proxy/simulate/simulation.ts'
import { type AcceptedDifference, acceptedDifferences } from './accepted-differences.ts'
import { applyEvents, type ClusterState, emptyState } from './cluster-state.ts'
import { formatFlow, formatVerdict, verdictsEqual } from './compare-verdicts.ts'
import { type OriginalDifference, originalDifferences } from './original-differences.ts'
import { PlanTrack } from './plan-track.ts'
import { createRandom } from './random.ts'
import type { Destination } from './sample-destinations.ts'
import { type SampledFlow, sampleFlows } from './sample-flows.ts'
import type { Scenario, ScenarioStep } from './scenario.ts'
import type { Subject } from './subjects.ts'
import type { Tally } from './tally.ts'

/** What a run needs besides the scenarios. */
export interface RunOptions {
  readonly seed: number
  readonly subjects: readonly Subject[]
  readonly tally: Tally
  /** Called for every difference that nobody accepts, and for what `isVerbose` adds. */
  readonly print: (line: string) => void
  readonly isVerbose: boolean
}

interface StepContext {
  readonly scenario: Scenario
  readonly state: ClusterState
  readonly title: string
  readonly options: RunOptions
}

/** Plays a scenario: events to plans, plans and their programs to verdicts, verdicts against those of
 *  the recorded rule sets. Throws when a recorded file cannot be interpreted. */
export function runScenario(scenario: Scenario, options: RunOptions): void {
  const state = emptyState()
  const track = new PlanTrack(scenario.context)
  const remembered = new Map<string, Destination>()
  for (const step of scenario.steps) {
    const context = { scenario, state, title: `${scenario.name} step ${step.name}`, options }
    applyEvents(state, step.events)
    const random = createRandom(options.seed, scenario.name, step.name)
    const planned = track.step(step.events, state, random)
    options.tally.addPlans(planned.comparisonCount, planned.faults.length)
    for (const fault of planned.faults) options.print(`${context.title}: ${fault}`)
    const plan = { node: scenario.context.node, services: planned.services }
    const subjects = options.subjects.map((subject) => ({
      name: subject.name,
      accepted: [...acceptedDifferences, ...(subject.differences ?? [])],
      simulation: subject.load(plan),
    }))
    const flows = sampleFlows(scenario, state, remembered, random)
    compareFlows(context, step, flows, subjects)
  }
}

interface LoadedSubject {
  readonly name: string
  readonly accepted: readonly AcceptedDifference[]
  readonly simulation: Simulation
}

function compareFlows(
  context: StepContext,
  step: ScenarioStep,
  flows: readonly SampledFlow[],
  subjects: readonly LoadedSubject[],
): void {
  const nftFile = join(step.directory, 'nft.json')
  const original = simulateNftJson(JSON.parse(readFileSync(nftFile, 'utf8')), nftFile)
  const iptables = loadIptables(step.directory)
  for (const sampled of flows) {
    const { flow, localAddresses } = sampled
    const expected = original.verdict(flow, localAddresses)
    for (const subject of subjects) compareOne(context, sampled, expected, subject)
    const other = iptables[flow.family].verdict(flow, localAddresses)
    compareOriginals(context, sampled, expected, other)
  }
}

function loadIptables(directory: string): Record<4 | 6, Simulation> {
  const load = (name: string): Simulation => {
    const path = join(directory, name)
    return simulateIptablesSave(readFileSync(path, 'utf8'), path)
  }
  return { 4: load('iptables-save.txt'), 6: load('ip6tables-save.txt') }
}

type Traced = ReturnType<Simulation['verdict']>

function compareOne(
  context: StepContext,
  sampled: SampledFlow,
  expected: Traced,
  { name, simulation, accepted: differences }: LoadedSubject,
): void {
  const { tally } = context.options
  let actual: Traced
  try {
    actual = simulation.verdict(sampled.flow, sampled.localAddresses)
  } catch (error) {
    // A program that the kernel would refuse is a difference of every flow, and must name itself.
    tally.addDifferent(name)
    context.options.print(
      `${context.title}: ${name} FAILED: ${formatFlow(sampled)}: ${String(error)}`,
    )
    return
  }
  if (verdictsEqual(expected.verdict, actual.verdict)) {
    tally.addEqual(name)
    return
  }
  const accepted = differences.find((entry) => isMatch(context, entry, sampled, expected, actual))
  if (accepted !== undefined) tally.addAccepted(name, accepted.id)
  else tally.addDifferent(name)
  if (accepted !== undefined && !context.options.isVerbose) return
  const title = accepted === undefined ? 'DIFFERENT' : `accepted (${accepted.id})`
  report(context, `${name} ${title}`, sampled, [
    ['nftables', expected],
    [name, actual],
  ])
}

function compareOriginals(
  context: StepContext,
  sampled: SampledFlow,
  expected: Traced,
  actual: Traced,
): void {
  const { tally, isVerbose } = context.options
  if (verdictsEqual(expected.verdict, actual.verdict)) {
    tally.addOriginal(undefined)
    return
  }
  const known = originalDifferences.find((entry) =>
    isMatch(context, entry, sampled, expected, actual),
  )
  tally.addOriginal(known?.id ?? 'unexplained')
  if (known !== undefined && !isVerbose) return
  report(context, `originals differ (${known?.id ?? 'unexplained'})`, sampled, [
    ['nftables', expected],
    ['iptables', actual],
  ])
}

function isMatch(
  { scenario, state }: StepContext,
  entry: AcceptedDifference | OriginalDifference,
  sampled: SampledFlow,
  expected: Traced,
  actual: Traced,
): boolean {
  return entry.matches({
    scenario,
    state,
    sampled,
    original: expected.verdict,
    other: actual.verdict,
  })
}

function report(
  context: StepContext,
  title: string,
  sampled: SampledFlow,
  sides: readonly (readonly [string, Traced])[],
): void {
  const lines = sides.map(
    ([name, { verdict, path }]) =>
      `    ${name}: ${formatVerdict(verdict)}${path.length === 0 ? '' : `  (${path.join(' > ')})`}`,
  )
  context.options.print([`${context.title}: ${title}: ${formatFlow(sampled)}`, ...lines].join('\n'))
}
