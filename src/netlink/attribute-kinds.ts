/** How the value of one attribute lies on the wire. Byte order is part of the kind, without a default. */
export type ScalarKind =
  | 'u8'
  | 'u16be'
  | 'u16host'
  | 's32be'
  | 'u32be'
  | 'u32host'
  | 'u64be'
  | 'u64host'
  | 'bytes'
  | 'string'
  | 'flag'

/** One row of an attribute table: the id of the kernel's enum and the form of the value. */
export type AttributeRow =
  | { readonly id: number; readonly kind: ScalarKind }
  | { readonly id: number; readonly kind: 'nest'; readonly nest: Attributes }
  /** A nest whose members all have attribute id `element` and the form `nest`. */
  | {
      readonly id: number
      readonly kind: 'list'
      readonly element: number
      readonly nest: Attributes
    }

/** An attribute set: our names, in the kernel's order. */
export type Attributes = { readonly [name: string]: AttributeRow }

type ScalarValue<K extends ScalarKind> = K extends 'u64be' | 'u64host'
  ? bigint
  : K extends 'bytes'
    ? Uint8Array
    : K extends 'string'
      ? string
      : K extends 'flag'
        ? true
        : number

/** The decoded form of an attribute set: every attribute may be absent. */
export type Decoded<A extends Attributes> = {
  readonly [N in keyof A]?: A[N] extends { kind: 'nest'; nest: infer I extends Attributes }
    ? Decoded<I>
    : A[N] extends { kind: 'list'; nest: infer I extends Attributes }
      ? readonly Decoded<I>[]
      : A[N] extends { kind: infer K extends ScalarKind }
        ? ScalarValue<K>
        : never
}
