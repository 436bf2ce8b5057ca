import { loadCLibrary } from '../../libc/c-library.ts'
import { type TableName, tableNames } from './rule.ts'

/** AF_INET and AF_INET6 with the level of their options (SOL_IP, SOL_IPV6), SOCK_RAW | SOCK_CLOEXEC,
 *  IPPROTO_RAW. */
const families = [
  { program: 'iptables', domain: 2, level: 0 },
  { program: 'ip6tables', domain: 10, level: 41 },
] as const
const rawSocket = 3 | 0o2000000
const rawProtocol = 255

/** IPT_SO_GET_INFO, IP6T_SO_GET_INFO; linux/netfilter_ipv4/ip_tables.h */
const getInfo = 64
/** struct ipt_getinfo: name at 0, valid hooks at 32, five offsets of hooks and five of policies, number of
 *  entries at 76, bytes at 80. */
const infoBytes = 84
const entriesAt = 76

/** The size of a table. */
export interface TableSize {
  /** Rules, and what stands for chains and policies. */
  readonly entries: number
  /** The kernel's structure, in hexadecimal; differs when anything of the size does. */
  readonly all: string
}

/** How large the tables of the legacy variant are, asked of the kernel in microseconds. */
export class LegacySizes {
  readonly #sockets: readonly { readonly program: string; readonly level: number; fd: number }[]
  readonly #ask: (fd: number, level: number, name: TableName) => Uint8Array | undefined

  private constructor() {
    const { find } = loadCLibrary('iptables')
    const open: (domain: number, type: number, protocol: number) => number = find(
      'int socket(int, int, int)',
    )
    const getOption: (
      fd: number,
      level: number,
      name: number,
      value: Uint8Array,
      length: Uint8Array,
    ) => number = find('int getsockopt(int, int, int, void *, void *)')
    this.#sockets = families.map(({ program, domain, level }) => {
      return { program, level, fd: open(domain, rawSocket, rawProtocol) }
    })
    this.#ask = (fd, level, name) => {
      const info = new Uint8Array(infoBytes)
      info.set(Buffer.from(name))
      const length = new Uint8Array(Int32Array.of(infoBytes).buffer)
      return getOption(fd, level, getInfo, info, length) === 0 ? info : undefined
    }
  }

  /** Opens its sockets in the network namespace of this thread; needs CAP_NET_RAW and CAP_NET_ADMIN, without
   *  which nothing has a size. Throws outside Linux. */
  static open(): LegacySizes {
    return new LegacySizes()
  }

  /** The size of each table of ours, by `iptables table nat`. It changes with every rule or chain that is added or deleted, but not when a rule gives way
   *  to another of equal length. */
  read(): ReadonlyMap<string, TableSize> {
    const sizes = new Map<string, TableSize>()
    for (const { program, level, fd } of this.#sockets) {
      for (const table of tableNames) {
        const info = this.#ask(fd, level, table)
        if (info === undefined) continue
        const [entries = 0] = new Uint32Array(info.slice(entriesAt, entriesAt + 4).buffer)
        const all = Buffer.from(info).toString('hex')
        sizes.set(`${program} table ${table}`, { entries, all })
      }
    }
    return sizes
  }

  close(): void {
    const close: (fd: number) => number = loadCLibrary('iptables').find('int close(int)')
    for (const socket of this.#sockets) {
      if (socket.fd >= 0) close(socket.fd)
      socket.fd = -1
    }
  }
}
