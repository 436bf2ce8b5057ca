/** Numbers of io_uring, those of linux/io_uring.h: x64 and arm64 alike. Checked against the header by
 *  test/reactor/header-constants.test.ts. */

/** System calls, asm-generic/unistd.h */
export const systemCallNumbers = {
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
} as const

/** enum io_uring_op, those that are used. */
export const operations = {
  IORING_OP_POLL_ADD: 6,
  IORING_OP_SENDMSG: 9,
  IORING_OP_ACCEPT: 13,
  IORING_OP_ASYNC_CANCEL: 14,
  IORING_OP_CONNECT: 16,
  IORING_OP_CLOSE: 19,
  IORING_OP_SEND: 26,
  IORING_OP_RECV: 27,
} as const

/** io_uring_params.flags. One thread submits, and completions are prepared only when it asks for them: that is
 *  the cheapest way there is (Linux 6.1). */
export const setupFlags = {
  IORING_SETUP_CQSIZE: 1 << 3,
  IORING_SETUP_CLAMP: 1 << 4,
  IORING_SETUP_SUBMIT_ALL: 1 << 7,
  IORING_SETUP_TASKRUN_FLAG: 1 << 9,
  IORING_SETUP_SINGLE_ISSUER: 1 << 12,
  IORING_SETUP_DEFER_TASKRUN: 1 << 13,
} as const

/** io_uring_params.features that are needed. */
export const features = {
  IORING_FEAT_SINGLE_MMAP: 1 << 0,
  IORING_FEAT_NODROP: 1 << 1,
  IORING_FEAT_SUBMIT_STABLE: 1 << 2,
  IORING_FEAT_FAST_POLL: 1 << 5,
  IORING_FEAT_EXT_ARG: 1 << 8,
  IORING_FEAT_CQE_SKIP: 1 << 11,
} as const

/** Flags of io_uring_enter(2), of both rings and of completions; an offset for mmap(2); a flag of a probe. */
export const ringFlags = {
  IORING_ENTER_GETEVENTS: 1 << 0,
  IORING_ENTER_EXT_ARG: 1 << 3,
  IORING_SQ_CQ_OVERFLOW: 1 << 1,
  IORING_SQ_TASKRUN: 1 << 2,
  IORING_CQ_EVENTFD_DISABLED: 1 << 0,
  IORING_CQE_F_BUFFER: 1 << 0,
  IORING_CQE_F_MORE: 1 << 1,
  IORING_OFF_SQES: 0x1000_0000,
  IO_URING_OP_SUPPORTED: 1 << 0,
} as const

/** enum io_uring_register_op. */
export const registrations = {
  IORING_REGISTER_EVENTFD: 4,
  IORING_REGISTER_PROBE: 8,
  IORING_REGISTER_PBUF_RING: 22,
} as const

/** Flags of single operations, in `io_uring_sqe.ioprio`, `.len` or its word of flags. */
export const operationFlags = {
  IORING_RECV_MULTISHOT: 1 << 1,
  IORING_ACCEPT_MULTISHOT: 1 << 0,
  IORING_POLL_ADD_MULTI: 1 << 0,
  IORING_ASYNC_CANCEL_ALL: 1 << 0,
  IORING_ASYNC_CANCEL_FD: 1 << 1,
} as const

/** Bits of io_uring_sqe.flags: IOSQE_BUFFER_SELECT_BIT 5, IOSQE_CQE_SKIP_SUCCESS_BIT 6. */
export const entryFlags = { bufferSelect: 1 << 5, skipSuccess: 1 << 6 } as const

/** IORING_CQE_BUFFER_SHIFT: the number of a received buffer lies above this bit of the completion's flags. */
export const bufferShift = 16

/** struct io_uring_sqe, in words of 4 bytes: [opcode:1][flags:1][ioprio:2][fd:4][off:8][addr:8][len:4]
 *  [op flags:4][user_data:8][buf_group:2][personality:2]... */
export const submissionWords = {
  size: 16,
  header: 0,
  fd: 1,
  offset: 2,
  address: 4,
  length: 6,
  operationFlags: 7,
  userData: 8,
  bufferGroup: 10,
} as const

/** struct io_uring_cqe, in words: [user_data:8][res:4][flags:4]. */
export const completionWords = { size: 4, userData: 0, result: 2, flags: 3 } as const

/** struct io_uring_params, in words; `submission` is struct io_sqring_offsets, `completion` io_cqring_offsets. */
export const parameterWords = {
  size: 30,
  completionEntries: 1,
  flags: 2,
  features: 5,
  submission: { head: 10, tail: 11, mask: 12, entries: 13, flags: 14, array: 16 },
  completion: { head: 20, tail: 21, mask: 22, entries: 23, completions: 25, flags: 26 },
} as const
