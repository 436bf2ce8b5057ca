import { getSystemErrorMap } from 'node:util'
import { isUnspecified } from '../../net/address.ts'
import type { DatagramOptions } from '../datagram.ts'
import type { ConnectOptions, ListenOptions, StreamOptions } from '../reactor.ts'
import { ReactorError } from '../reactor-error.ts'
import { formatSocketAddress, type SocketAddress, socketFamily } from '../socket-address.ts'
import { encodeSocketAddress, socketAddressRoom } from './socket-address-bytes.ts'
import {
  families,
  ipOptions,
  ipv6Options,
  levels,
  socketOptions,
  socketTypes,
  tcpOptions,
} from './socket-constants.ts'
import { systemCalls } from './system-calls.ts'

const addressRoom = new Uint8Array(socketAddressRoom)
const optionRoom = new Uint8Array(8)
const optionView = new DataView(optionRoom.buffer)
const lengthRoom = new Uint8Array(4)
const lengthView = new DataView(lengthRoom.buffer)

/** A listening socket. Options of the listener are inherited by what it accepts. Throws ReactorError. */
export function openListenSocket(address: SocketAddress, options: ListenOptions): number {
  const operation = `listen on ${formatSocketAddress(address)}`
  return openOrClose(operation, address, unblocked(socketTypes.SOCK_STREAM), (fd) => {
    require(setOption(fd, levels.SOL_SOCKET, socketOptions.SO_REUSEADDR, 1), operation)
    if (options.isShared === true) sharePort(fd, operation)
    setStreamOptions(fd, address, options, operation)
    const queue = options.fastOpenQueue ?? 0
    if (queue > 0) {
      require(setOption(fd, levels.IPPROTO_TCP, tcpOptions.TCP_FASTOPEN, queue), operation)
    }
    bindTo(fd, address, operation)
    require(systemCalls().listen(fd, options.backlog ?? 4096) === 0, operation)
  })
}

/** A socket that is about to connect; connecting waits where it is blocking. Throws ReactorError. */
export function openConnectSocket(
  address: SocketAddress,
  options: ConnectOptions,
  isBlocking: boolean,
): number {
  const operation = `connect to ${formatSocketAddress(address)}`
  const type = isBlocking ? socketTypes.SOCK_STREAM : unblocked(socketTypes.SOCK_STREAM)
  return openOrClose(operation, address, type, (fd) => {
    setStreamOptions(fd, address, options, operation)
    if (options.isFastOpen === true) {
      require(setOption(fd, levels.IPPROTO_TCP, tcpOptions.TCP_FASTOPEN_CONNECT, 1), operation)
    }
    if (options.source === undefined) return
    // The port is chosen at connect, per destination: else 28,000 connections would be all there are.
    if (options.source.port === 0) {
      setOption(fd, levels.IPPROTO_IP, ipOptions.IP_BIND_ADDRESS_NO_PORT, 1)
    }
    bindTo(fd, options.source, operation)
  })
}

/** A bound UDP socket, connected where a peer is given, that tells the destination of what it receives when it
 *  is bound to any address. Throws ReactorError. */
export function openDatagramSocket(options: DatagramOptions): number {
  const { address, peer, bufferBytes } = options
  const operation = `open UDP ${formatSocketAddress(address)}`
  return openOrClose(operation, address, unblocked(socketTypes.SOCK_DGRAM), (fd) => {
    if (options.isShared === true) sharePort(fd, operation)
    if (options.isTransparent === true) makeTransparent(fd, address, operation)
    if (isUnspecified(address.address)) tellDestinations(fd, address, operation)
    if (bufferBytes !== undefined) {
      setOption(fd, levels.SOL_SOCKET, socketOptions.SO_RCVBUF, bufferBytes)
      setOption(fd, levels.SOL_SOCKET, socketOptions.SO_SNDBUF, bufferBytes)
    }
    bindTo(fd, address, operation)
    if (peer === undefined) return
    const length = encodeSocketAddress(peer, addressRoom)
    require(systemCalls().connect(fd, addressRoom, length) === 0, operation)
  })
}

/** Makes the next close of the socket a reset (SO_LINGER with 0 seconds). */
export function resetOnClose(fd: number): void {
  // struct linger: [on:4][seconds:4]
  optionView.setInt32(0, 1, true)
  optionView.setInt32(4, 0, true)
  systemCalls().setsockopt(fd, levels.SOL_SOCKET, socketOptions.SO_LINGER, optionRoom, 8)
}

/** Takes the error that waits on a socket (SO_ERROR); 0: none. */
export function socketError(fd: number): number {
  optionView.setInt32(0, 0, true)
  lengthView.setInt32(0, 4, true)
  const { getsockopt } = systemCalls()
  getsockopt(fd, levels.SOL_SOCKET, socketOptions.SO_ERROR, optionRoom, lengthRoom)
  return optionView.getInt32(0, true)
}

function unblocked(type: number): number {
  return type | socketTypes.SOCK_NONBLOCK
}

function openOrClose(
  operation: string,
  address: SocketAddress,
  type: number,
  prepare: (fd: number) => void,
): number {
  const isIpv4 = socketFamily(address) === 4
  const domain = isIpv4 ? families.AF_INET : families.AF_INET6
  const fd = systemCalls().socket(domain, type | socketTypes.SOCK_CLOEXEC, 0)
  require(fd >= 0, operation)
  try {
    if (!isIpv4) setOption(fd, levels.IPPROTO_IPV6, ipv6Options.IPV6_V6ONLY, 1)
    prepare(fd)
    return fd
  } catch (error) {
    systemCalls().close(fd)
    throw error
  }
}

function setStreamOptions(
  fd: number,
  address: SocketAddress,
  options: StreamOptions,
  operation: string,
): void {
  if (options.noDelay !== false) setOption(fd, levels.IPPROTO_TCP, tcpOptions.TCP_NODELAY, 1)
  const { keepAliveSeconds = 0 } = options
  if (keepAliveSeconds > 0) {
    setOption(fd, levels.SOL_SOCKET, socketOptions.SO_KEEPALIVE, 1)
    setOption(fd, levels.IPPROTO_TCP, tcpOptions.TCP_KEEPIDLE, keepAliveSeconds)
  }
  if (options.isTransparent === true) makeTransparent(fd, address, operation)
}

function makeTransparent(fd: number, address: SocketAddress, operation: string): void {
  const isSet =
    socketFamily(address) === 4
      ? setOption(fd, levels.IPPROTO_IP, ipOptions.IP_TRANSPARENT, 1)
      : setOption(fd, levels.IPPROTO_IPV6, ipv6Options.IPV6_TRANSPARENT, 1)
  require(isSet, operation)
}

/** Control data with each datagram costs a look-up of the route for each answer: only where it is needed. */
function tellDestinations(fd: number, address: SocketAddress, operation: string): void {
  const isSet =
    socketFamily(address) === 4
      ? setOption(fd, levels.IPPROTO_IP, ipOptions.IP_PKTINFO, 1)
      : setOption(fd, levels.IPPROTO_IPV6, ipv6Options.IPV6_RECVPKTINFO, 1)
  require(isSet, operation)
}

function sharePort(fd: number, operation: string): void {
  require(setOption(fd, levels.SOL_SOCKET, socketOptions.SO_REUSEPORT, 1), operation)
}

function bindTo(fd: number, address: SocketAddress, operation: string): void {
  const length = encodeSocketAddress(address, addressRoom)
  require(systemCalls().bind(fd, addressRoom, length) === 0, operation)
}

function setOption(fd: number, level: number, name: number, value: number): boolean {
  optionView.setInt32(0, value, true)
  return systemCalls().setsockopt(fd, level, name, optionRoom, 4) === 0
}

function require(isDone: boolean, operation: string): void {
  if (isDone) return
  const errno = systemCalls().errno()
  throw new ReactorError(operation, errno, describeErrno(errno))
}

/** `EADDRINUSE (address already in use)` */
function describeErrno(errno: number): string {
  const [name, text] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, 'unknown error']
  return `${name} (${text})`
}
