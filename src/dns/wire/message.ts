import type { DnsName } from './name.ts'
import type { RecordData } from './record-data.ts'

/** Bytes of the largest message: over streams its length has 16 bits (RFC 1035 section 4.2.2). */
export const maxMessageBytes = 65_535

/** A DNS message (RFC 1035 section 4) with its EDNS(0) part (RFC 6891) taken out of the additional
 *  section. Plain data: plugins make new ones and never change one that they were given. */
export interface Message {
  /** 16 bits. */
  readonly id: number
  readonly flags: Flags
  /** 4 bits; 0 is QUERY. See `opcodes`. */
  readonly opcode: number
  /** 4 bits, 12 with EDNS (the upper 8 travel in the OPT record). See `rcodes`. */
  readonly rcode: number
  readonly questions: readonly Question[]
  readonly answers: readonly ResourceRecord[]
  readonly authority: readonly ResourceRecord[]
  /** Without the OPT record. */
  readonly additional: readonly ResourceRecord[]
  /** Undefined: the message has no OPT record. */
  readonly edns: Edns | undefined
}

/** The flag bits of the header, with the RFC's short names. */
export interface Flags {
  /** It is a response. */
  readonly qr: boolean
  /** Authoritative answer. */
  readonly aa: boolean
  /** Truncated. */
  readonly tc: boolean
  /** Recursion desired. */
  readonly rd: boolean
  /** Recursion available. */
  readonly ra: boolean
  /** The reserved bit, which must be zero. */
  readonly z: boolean
  /** Authentic data (RFC 4035). */
  readonly ad: boolean
  /** Checking disabled (RFC 4035). */
  readonly cd: boolean
}

/** What is asked. */
export interface Question {
  /** Case as the client sent it. */
  readonly name: DnsName
  /** See `recordTypes`. */
  readonly type: number
  /** See `recordClasses`. */
  readonly class: number
}

/** One resource record. */
export interface ResourceRecord {
  readonly name: DnsName
  /** See `recordTypes`. It must fit `data`: a raw record may have any type. */
  readonly type: number
  readonly class: number
  /** Seconds, 32 bits without sign. */
  readonly ttl: number
  readonly data: RecordData
}

/** EDNS(0), RFC 6891. */
export interface Edns {
  /** Bytes of the largest UDP message that the sender takes. */
  readonly udpSize: number
  /** 0 is the only version there is. */
  readonly version: number
  /** The DO bit (RFC 3225). */
  readonly isDnssecOk: boolean
  readonly options: readonly EdnsOption[]
}

/** One EDNS option; see `ednsOptions`. */
export interface EdnsOption {
  readonly code: number
  readonly data: Uint8Array
}

/** All flags clear. */
export const noFlags: Flags = {
  qr: false,
  aa: false,
  tc: false,
  rd: false,
  ra: false,
  z: false,
  ad: false,
  cd: false,
}
