/** Numbers of the socket interface, those of asm-generic: x64 and arm64 alike. Checked against the headers by
 *  test/reactor/header-constants.test.ts. */

/** AF_*; bits/socket.h */
export const families = { AF_INET: 2, AF_INET6: 10 } as const

/** SOCK_*; asm-generic/socket.h, linux/net.h */
export const socketTypes = {
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
} as const

/** Levels of options: SOL_SOCKET and the protocol numbers (IPPROTO_*). */
export const levels = { SOL_SOCKET: 1, IPPROTO_IP: 0, IPPROTO_TCP: 6, IPPROTO_IPV6: 41 } as const

/** SO_*; asm-generic/socket.h */
export const socketOptions = {
  SO_REUSEADDR: 2,
  SO_ERROR: 4,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_KEEPALIVE: 9,
  SO_LINGER: 13,
  SO_REUSEPORT: 15,
} as const

/** IP_*; linux/in.h, linux/netfilter_ipv4.h */
export const ipOptions = {
  IP_PKTINFO: 8,
  IP_TRANSPARENT: 19,
  IP_BIND_ADDRESS_NO_PORT: 24,
  SO_ORIGINAL_DST: 80,
} as const

/** IPV6_*; linux/in6.h, linux/netfilter_ipv6/ip6_tables.h */
export const ipv6Options = {
  IPV6_V6ONLY: 26,
  IPV6_RECVPKTINFO: 49,
  IPV6_PKTINFO: 50,
  IPV6_TRANSPARENT: 75,
  IP6T_SO_ORIGINAL_DST: 80,
} as const

/** TCP_*; linux/tcp.h */
export const tcpOptions = {
  TCP_NODELAY: 1,
  TCP_KEEPIDLE: 4,
  TCP_FASTOPEN: 23,
  TCP_FASTOPEN_CONNECT: 30,
} as const

/** MSG_*; linux/socket.h (not in the headers of user space). */
export const messageFlags = {
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
} as const

/** F_*, O_NONBLOCK; asm-generic/fcntl.h */
export const fileFlags = { F_GETFL: 3, F_SETFL: 4, O_NONBLOCK: 0o4000 } as const

/** SHUT_WR; sys/socket.h */
export const shutdownWrite = 1
