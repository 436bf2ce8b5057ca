/** Transport protocols of a Kubernetes service port (core/v1 Protocol). */
export type Protocol = 'TCP' | 'UDP' | 'SCTP'

/** All protocols, in the order of their numbers. */
export const protocols: readonly Protocol[] = ['TCP', 'UDP', 'SCTP']

const numbers: Readonly<Record<Protocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 }

/** The protocol's number in the IP header (IANA protocol numbers). */
export function protocolNumber(protocol: Protocol): number {
  return numbers[protocol]
}

/** The protocol with this IP protocol number, or undefined when services cannot have it. */
export function protocolOfNumber(number: number): Protocol | undefined {
  return protocols.find((protocol) => numbers[protocol] === number)
}
