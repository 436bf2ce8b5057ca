/** Ports of 127.0.0.1 in the network namespace of the benchmark, where nobody else is. */
export const relayPorts = {
  /** HTTP backend. */
  http: 8080,
  /** UDP backend that echoes. */
  echo: 8081,
  /** Two TCP backends that say which one they are. */
  named: [8082, 8083],
  /** Where a relay listens, TCP for the HTTP backend and UDP for the echo. */
  relay: 9080,
  /** Where it listens for one of the named backends. */
  changing: 9081,
} as const
