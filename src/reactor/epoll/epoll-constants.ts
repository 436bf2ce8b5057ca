/** Numbers of epoll, those of linux/eventpoll.h: x64 and arm64 alike. */
export const epollEvents = {
  EPOLLIN: 0x1,
  EPOLLOUT: 0x4,
  EPOLLERR: 0x8,
  EPOLLHUP: 0x10,
  EPOLLRDHUP: 0x2000,
  /** Edge-triggered; bit 31. */
  EPOLLET: 1 << 31,
} as const

/** EPOLL_CTL_* */
export const epollOperations = { EPOLL_CTL_ADD: 1, EPOLL_CTL_DEL: 2 } as const

/** EPOLL_CLOEXEC, sys/epoll.h */
export const epollCloseOnExec = 0o2000000

/** struct epoll_event, in words of 4 bytes: [events:4][data:8], packed on x64; on others the data is aligned to
 *  8 bytes. linux/eventpoll.h */
export const epollEventWords =
  process.arch === 'x64'
    ? ({ size: 3, events: 0, data: 1 } as const)
    : ({ size: 4, events: 0, data: 2 } as const)
