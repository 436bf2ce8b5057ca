import type { DatagramHandler, DatagramSocket } from '../datagram.ts'

/** What the engine knows of a UDP socket. */
export interface OpenDatagram {
  /** The number under which the driver knows it. */
  readonly number: number
  readonly fd: number
  readonly handler: DatagramHandler
  /** Takes from and sends to one peer only. */
  readonly isConnected: boolean
  /** Bound to any address: datagrams bring their destination with them. */
  readonly isAny: boolean
  readonly isOurs: boolean
  /** What the owner holds. */
  socket: DatagramSocket
  /** Errnos of earlier datagrams, not told yet. */
  readonly failures: number[]
  lostCount: number
  isClosed: boolean
  /** Was not read empty: the next turn goes on. */
  isWaiting: boolean
}
