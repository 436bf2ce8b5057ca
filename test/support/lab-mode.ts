import type { Flow } from '../../src/net/flow.ts'
import type { TracedVerdict } from '../../src/proxy/port/verdict.ts'
import type { NetworkLab } from './network-lab.ts'
import type { IptablesInfix } from './node-rules.ts'

/** What tests must know of a way to serve, beside what clients see. One suite runs for all of them. */
export interface LabMode {
  /** In the titles of tests, and in `PORTOLAN_TEST_MODES`. */
  readonly title: string
  /** Options of `portolan proxy` that choose it. */
  readonly options: readonly string[]
  /** The mode and the way that the daemon must say it has taken, so that no test runs in another one. */
  readonly expected: Readonly<Record<string, string>>
  /** The variant of iptables that its node uses. */
  readonly iptables: IptablesInfix
  /** Why it cannot run on this machine; undefined when it can. */
  hindrance(): string | undefined
  /** Makes the lab's node one that uses this way; before the proxy starts. */
  prepare(lab: NetworkLab): void
  /** Changes by others that take something of ours away. */
  readonly damages: readonly Damage[]
  /** Damage must be repaired in this time. */
  readonly repairMs: number
  /** Adds rules of somebody else where ours are. */
  addForeignRules(lab: NetworkLab): void
  /** A text that is another one after any write, by whomever, to the rules. */
  stamp(lab: NetworkLab): string
  /** Reads the rules and simulates them. `folder` has the manifests: what is not in the kernel comes from there. */
  simulate(lab: NetworkLab, folder: string): Simulate | Promise<Simulate>
  /** What it cannot do: tests assert what happens instead. Absent: nothing. */
  readonly limits?: LabLimits
}

/** What tests must not expect of a mode. */
export interface LabLimits {
  /** Endpoints see an address of the node instead of the client's own where the plan keeps it: each flow is a
   *  connection of the node's. */
  readonly hidesClients: boolean
  /** SCTP flows are refused. */
  readonly refusesSctp: boolean
  /** Connections end with the daemon, and new ones wait for the next one. */
  readonly endsWithDaemon: boolean
}

/** What the rules, as they were read, do with a flow. `localAddresses` are the node's own. */
export type Simulate = (flow: Flow, localAddresses: readonly string[]) => TracedVerdict

/** Commands that harm our rules. */
export interface Damage {
  readonly title: string
  readonly command: readonly [string, ...string[]]
}
