/** How a first packet gets from a client to a server: timed by plain system calls, without the event loop in
 *  between. */
export interface Transport {
  /** Opens a listener on all addresses; throws when the port is taken. */
  listen(port: number): number
  /** Sends the first packet of a new flow from this thread's network namespace, and blocks. Gives how long that
   *  took, microseconds; undefined when it does not arrive at any of the listeners. */
  reach(address: Uint8Array, listeners: readonly number[]): number | undefined
  /** Frees the listener of what has arrived: its queue is bounded. */
  drain(listener: number): void
}
