import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { socketAddressOffsets } from '../../src/reactor/descriptors/socket-address-bytes.ts'
import { epollEventWords } from '../../src/reactor/epoll/epoll-constants.ts'
import * as uring from '../../src/reactor/uring/uring-constants.ts'

/** Layouts that are written by hand in src/reactor, as a C compiler of this machine sees them. */
const test = suite('reactor/header structures')

const { submissionWords, completionWords, parameterWords } = uring
const words = (count: number): number => count * 4

/** C expressions, and what this project takes them for, in bytes. */
const layouts: readonly (readonly [string, number])[] = [
  ['sizeof(struct epoll_event)', words(epollEventWords.size)],
  ['offsetof(struct epoll_event, events)', words(epollEventWords.events)],
  ['offsetof(struct epoll_event, data)', words(epollEventWords.data)],
  ['sizeof(struct io_uring_sqe)', words(submissionWords.size)],
  ['offsetof(struct io_uring_sqe, fd)', words(submissionWords.fd)],
  ['offsetof(struct io_uring_sqe, off)', words(submissionWords.offset)],
  ['offsetof(struct io_uring_sqe, addr)', words(submissionWords.address)],
  ['offsetof(struct io_uring_sqe, len)', words(submissionWords.length)],
  ['offsetof(struct io_uring_sqe, msg_flags)', words(submissionWords.operationFlags)],
  ['offsetof(struct io_uring_sqe, user_data)', words(submissionWords.userData)],
  ['offsetof(struct io_uring_sqe, buf_group)', words(submissionWords.bufferGroup)],
  ['IOSQE_BUFFER_SELECT', uring.entryFlags.bufferSelect],
  ['IOSQE_CQE_SKIP_SUCCESS', uring.entryFlags.skipSuccess],
  ['IORING_CQE_BUFFER_SHIFT', uring.bufferShift],
  ['sizeof(struct io_uring_cqe)', words(completionWords.size)],
  ['offsetof(struct io_uring_cqe, res)', words(completionWords.result)],
  ['offsetof(struct io_uring_cqe, flags)', words(completionWords.flags)],
  ['sizeof(struct io_uring_params)', words(parameterWords.size)],
  ['offsetof(struct io_uring_params, cq_entries)', words(parameterWords.completionEntries)],
  ['offsetof(struct io_uring_params, flags)', words(parameterWords.flags)],
  ['offsetof(struct io_uring_params, features)', words(parameterWords.features)],
  ...Object.entries(parameterWords.submission).map(
    ([name, word]) =>
      [`offsetof(struct io_uring_params, sq_off.${fieldOf(name)})`, words(word)] as const,
  ),
  ...Object.entries(parameterWords.completion).map(
    ([name, word]) =>
      [`offsetof(struct io_uring_params, cq_off.${fieldOf(name)})`, words(word)] as const,
  ),
  ['sizeof(struct io_uring_buf)', 16],
  ['offsetof(struct io_uring_buf, bid)', 12],
  ['offsetof(struct io_uring_buf_ring, tail)', 14],
  ['sizeof(struct io_uring_buf_reg)', 40],
  ['sizeof(struct io_uring_getevents_arg)', 24],
  ['sizeof(struct __kernel_timespec)', 16],
  ['sizeof(struct io_uring_probe)', 16],
  ['sizeof(struct io_uring_probe_op)', 8],
  ['offsetof(struct io_uring_probe_op, flags)', 2],
  ['sizeof(struct mmsghdr)', 64],
  ['offsetof(struct mmsghdr, msg_len)', 56],
  ['sizeof(struct msghdr)', 56],
  ['offsetof(struct msghdr, msg_iov)', 16],
  ['offsetof(struct msghdr, msg_control)', 32],
  ['sizeof(struct iovec)', 16],
  ['sizeof(struct cmsghdr)', 16],
  ['CMSG_SPACE(sizeof(struct in_pktinfo))', 32],
  ['CMSG_SPACE(sizeof(struct in6_pktinfo))', 40],
  ['sizeof(struct sockaddr_in)', 16],
  ['sizeof(struct sockaddr_in6)', 28],
  ['offsetof(struct sockaddr_in, sin_addr)', socketAddressOffsets.address4],
  ['offsetof(struct sockaddr_in6, sin6_addr)', socketAddressOffsets.address6],
  ['offsetof(struct sockaddr_in6, sin6_scope_id)', socketAddressOffsets.scope],
  ['sizeof(struct linger)', 8],
]

const headers = [
  'linux/io_uring.h',
  'netinet/in.h',
  'stddef.h',
  'stdio.h',
  'sys/epoll.h',
  'sys/socket.h',
  'sys/uio.h',
]

const missing = whyNot()
if (missing !== undefined) {
  process.stdout.write(`# skipped: structures: ${missing}\n`)
  test.skip('layouts are those of the headers', () => {})
} else {
  test('layouts are those of the headers', () => {
    const lines = layouts.map(([expression]) => `printf("%ld\\n", (long)(${expression}));`)
    const found = runProgram(lines)
    assert.is(found.length, layouts.length)
    for (const [index, [expression, expected]] of layouts.entries()) {
      assert.is(Number(found[index]), expected, expression)
    }
  })
}

test.run()

/** The kernel's names of what stands in `parameterWords`. */
function fieldOf(name: string): string {
  const names: Record<string, string> = {
    mask: 'ring_mask',
    entries: 'ring_entries',
    completions: 'cqes',
  }
  return names[name] ?? name
}

/** Why the headers cannot be asked on this machine; undefined: they can. */
function whyNot(): string | undefined {
  try {
    runProgram([])
    return undefined
  } catch {
    return 'there is no C compiler (cc) with the headers of the kernel (gcc, linux-libc-dev)'
  }
}

function runProgram(lines: readonly string[]): readonly string[] {
  const folder = mkdtempSync(`${tmpdir()}/portolan-layouts-`)
  try {
    const source = [
      '#define _GNU_SOURCE',
      ...headers.map((name) => `#include <${name}>`),
      'int main(void) {',
      ...lines,
      'return 0; }',
    ]
    writeFileSync(`${folder}/layouts.c`, source.join('\n'))
    execFileSync('cc', ['-o', 'layouts', 'layouts.c'], { cwd: folder, stdio: 'pipe' })
    const printed = execFileSync(`${folder}/layouts`, { encoding: 'utf8' })
    return printed.split('\n').filter(Boolean)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
