import { type Pointer, systemCalls } from '../descriptors/system-calls.ts'
import { ReactorError } from '../reactor-error.ts'
import { errnos } from '../stream-handler.ts'
import {
  features,
  operations,
  parameterWords,
  registrations,
  ringFlags,
  setupFlags,
  systemCallNumbers,
} from './uring-constants.ts'

/** ENOSYS: the kernel was built without io_uring. asm-generic/errno.h */
const noSystemCall = 38

/** struct io_uring_probe: a header of 16 bytes, then for each operation [op:1][resv:1][flags:2][resv:4]. */
const probe = { headerBytes: 16, entryBytes: 8, flagsAt: 2, count: 256 } as const

/** Opens a ring: io_uring_setup(2). Returns its descriptor and fills in the parameters. Throws ReactorError when
 *  the kernel refuses it, or lacks a feature or an operation that is needed. */
export function setUpRing(
  parameters: Int32Array,
  submissionCount: number,
  completionCount: number,
): number {
  parameters[parameterWords.flags] = Object.values(setupFlags).reduce((all, flag) => all | flag)
  parameters[parameterWords.completionEntries] = completionCount
  const calls = systemCalls()
  const address = calls.pointerTo(new Uint8Array(parameters.buffer))
  const { io_uring_setup } = systemCallNumbers
  const fd = calls.syscall(io_uring_setup, submissionCount, address, 0, 0, 0, 0)
  if (fd < 0) {
    const errno = calls.errno()
    throw new ReactorError('open io_uring', errno, explain(errno))
  }
  try {
    requireFeatures(parameters[parameterWords.features] ?? 0)
    requireOperations(fd)
    return fd
  } catch (error) {
    calls.close(fd)
    throw error
  }
}

/** io_uring_register(2). */
export function register(ring: number, what: number, argument: Pointer, count: number): void {
  const calls = systemCalls()
  const { io_uring_register } = systemCallNumbers
  if (calls.syscall(io_uring_register, ring, what, argument, count, 0, 0) >= 0) return
  throw new ReactorError('open io_uring', calls.errno(), `io_uring_register(${what}) was refused`)
}

function explain(errno: number): string {
  switch (errno) {
    case noSystemCall:
      return 'the kernel has no io_uring (CONFIG_IO_URING)'
    case errnos.EPERM:
      return 'not permitted (EPERM): sysctl kernel.io_uring_disabled or a seccomp profile forbids it'
    case errnos.EINVAL:
      return 'the kernel is older than Linux 6.1 (IORING_SETUP_DEFER_TASKRUN is unknown)'
    case errnos.ENOMEM:
      return 'no memory (ENOMEM): ulimit -l or the memory limit of the cgroup'
    default:
      return 'io_uring_setup was refused'
  }
}

function requireFeatures(present: number): void {
  for (const [name, bit] of Object.entries(features)) {
    if ((present & bit) === 0) {
      throw new ReactorError('open io_uring', 0, `the kernel lacks ${name}`)
    }
  }
}

function requireOperations(ring: number): void {
  const bytes = new Uint8Array(probe.headerBytes + probe.count * probe.entryBytes)
  register(ring, registrations.IORING_REGISTER_PROBE, systemCalls().pointerTo(bytes), probe.count)
  for (const [name, number] of Object.entries(operations)) {
    const flags = bytes[probe.headerBytes + number * probe.entryBytes + probe.flagsAt] ?? 0
    if ((flags & ringFlags.IO_URING_OP_SUPPORTED) === 0) {
      throw new ReactorError('open io_uring', 0, `the kernel lacks ${name}`)
    }
  }
}
