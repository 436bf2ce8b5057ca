import { existsSync } from 'node:fs'
import { familyOf } from '../net/address.ts'
import { NetlinkError } from './netlink-error.ts'
import type { Route, RouteConnection } from './route.ts'

/** There once the kernel has made a dummy interface. */
const dummyModule = '/sys/module/dummy'

/** Addresses that this machine takes packets for beside those of its links: on a dummy interface of its own,
 *  or by local routes where the kernel has no such interfaces. */
export class HostAddresses {
  readonly #route: RouteConnection
  /** Name of the interface. */
  readonly #name: string
  /** Undefined: by routes. */
  #interface: number | undefined
  #isPrepared = false

  constructor(route: RouteConnection, interfaceName: string) {
    this.#route = route
    this.#name = interfaceName
    this.#interface = this.#find()
  }

  /** How addresses are made local, for logs. */
  get way(): 'dummy interface' | 'local routes' {
    return this.#interface === undefined && this.#isPrepared ? 'local routes' : 'dummy interface'
  }

  /** Index of the interface, if it is there. */
  get interfaceIndex(): number | undefined {
    return this.#interface
  }

  /** Addresses that are there now. Routes are asked of `known`: those of an earlier run. */
  present(known: Iterable<string>): Set<string> {
    this.#interface = this.#find()
    if (this.#interface !== undefined) {
      const index = this.#interface
      const mine = this.#route
        .listAddresses()
        .filter(({ interfaceIndex }) => interfaceIndex === index)
      // The kernel gives an interface a link-local address by itself.
      return new Set(mine.filter(({ scope }) => scope !== 'link').map(({ address }) => address))
    }
    // Without the interface, where the kernel has such interfaces, its addresses went with it.
    return existsSync(dummyModule) ? new Set() : new Set(known)
  }

  /** The node's own addresses without loopback, link-local ones and `added` ones. */
  ownAddresses(added: ReadonlySet<string>): string[] {
    const found = this.#route
      .listAddresses()
      .filter(({ interfaceIndex, scope }) => interfaceIndex !== this.#interface && scope !== 'link')
      .map(({ address }) => address)
      .filter((address) => !address.startsWith('127.') && address !== '::1')
    return [...new Set(found)].filter(
      (address) => this.#interface !== undefined || !added.has(address),
    )
  }

  /** Makes an address local. */
  add(address: string): void {
    this.#prepare()
    ignoring('EEXIST', () => {
      if (this.#interface === undefined) this.#route.addRoute(routeTo(address))
      else this.#route.addAddress(this.#interface, address, prefixLength(address))
    })
  }

  /** Takes an address back. */
  remove(address: string): void {
    ignoring('EADDRNOTAVAIL', () =>
      ignoring('ESRCH', () => {
        if (this.#interface === undefined) this.#route.deleteRoute(routeTo(address))
        else this.#route.deleteAddress(this.#interface, address, prefixLength(address))
      }),
    )
  }

  /** Removes the interface, or the routes to these addresses; returns how many objects that were. */
  removeAll(known: Iterable<string>): number {
    this.#interface = this.#find()
    if (this.#interface !== undefined) {
      this.#route.deleteLink(this.#interface)
      this.#interface = undefined
      return 1
    }
    const addresses = [...this.present(known)]
    for (const address of addresses) this.remove(address)
    return addresses.length
  }

  #find(): number | undefined {
    return this.#route.listLinks().find(({ name }) => name === this.#name)?.index
  }

  #prepare(): void {
    if (this.#interface !== undefined || this.#isPrepared) return
    this.#isPrepared = true
    try {
      this.#route.addLink(this.#name, 'dummy')
    } catch (error) {
      // The kernel has no dummy interfaces and no module for them.
      if (error instanceof NetlinkError && error.errnoName === 'EOPNOTSUPP') return
      throw error
    }
    this.#interface = this.#find()
    this.#isPrepared = false
  }
}

function prefixLength(address: string): 32 | 128 {
  return familyOf(address) === 4 ? 32 : 128
}

function routeTo(address: string): Route {
  return {
    destination: address,
    prefixLength: prefixLength(address),
    type: 'local',
    interfaceIndex: loopback,
  }
}

/** Index of the loopback interface in every network namespace (LOOPBACK_IFINDEX). */
const loopback = 1

function ignoring(errnoName: string, action: () => void): void {
  try {
    action()
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errnoName !== errnoName) throw error
  }
}
