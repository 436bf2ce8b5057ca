import { existsSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ipOptions,
  ipv6Options,
  levels,
  socketOptions,
  tcpOptions,
} from '../../src/reactor/descriptors/socket-constants.ts'
import { epollEvents, epollOperations } from '../../src/reactor/epoll/epoll-constants.ts'
import * as uring from '../../src/reactor/uring/uring-constants.ts'

const test = suite('reactor/header constants')

const folder = '/usr/include'
const headers = [
  'asm-generic/socket.h',
  'linux/in.h',
  'linux/in6.h',
  'linux/tcp.h',
  'linux/netfilter_ipv4.h',
  'linux/netfilter_ipv6/ip6_tables.h',
  'linux/eventpoll.h',
  'linux/io_uring.h',
  'asm-generic/unistd.h',
].map((name) => `${folder}/${name}`)

/** In headers of the kernel's own or of the C library only. */
const elsewhere = new Set(['IPPROTO_IP', 'IPPROTO_TCP', 'IPPROTO_IPV6'])

const missing = headers.find((path) => !existsSync(path))
if (missing !== undefined) {
  process.stdout.write(`# skipped: constants: ${missing} is not on this machine (linux-libc-dev)\n`)
  test.skip('numbers are those of the kernel headers', () => {})
} else {
  const defined = definitions(headers.map((path) => readFileSync(path, 'utf8')).join('\n'))

  test('numbers are those of the kernel headers', () => {
    let checked = 0
    for (const table of [
      levels,
      socketOptions,
      ipOptions,
      ipv6Options,
      tcpOptions,
      epollEvents,
      epollOperations,
      uring.operations,
      uring.setupFlags,
      uring.features,
      uring.ringFlags,
      uring.registrations,
      uring.operationFlags,
    ]) {
      for (const [name, number] of Object.entries(table)) {
        if (elsewhere.has(name)) continue
        assert.is(number | 0, defined.get(name), name)
        checked++
      }
    }
    for (const [name, number] of Object.entries(uring.systemCallNumbers)) {
      assert.is(number, defined.get(`__NR_${name}`), name)
    }
    assert.ok(checked > 55)
  })
}

test.run()

/** Macros that are a number, or a shifted one, and members of enumerations, by name; as signed 32 bits. */
function definitions(text: string): Map<string, number> {
  const found = new Map<string, number>()
  const pattern =
    /^#\s*define\s+(\w+)\s+(?:\(?\(__poll_t\)\s*)?\(?(0x[0-9a-f]+|\d+)U?(?:\s*<<\s*(\d+))?\)*/gim
  for (const [, name = '', value = '', shift = '0'] of text.matchAll(pattern)) {
    found.set(name, Number(value) << Number(shift))
  }
  const withoutComments = text.replace(/\/\*.*?\*\//gs, '')
  for (const [, members = ''] of withoutComments.matchAll(/^enum\s*\w*\s*\{([^}]*)\}/gm)) {
    let next = 0
    for (const [, name = '', value] of members.matchAll(/(\w+)(?:\s*=\s*(\w+))?\s*(?:,|$)/g)) {
      next = value === undefined ? next : Number(value)
      found.set(name, next++)
    }
  }
  return found
}
