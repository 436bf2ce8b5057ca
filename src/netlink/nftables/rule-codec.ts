import type { Decoded } from '../attribute-kinds.ts'
import type { AttributeWriter } from '../attribute-writer.ts'
import { decodeAttributes, encodeAttributes } from '../attributes.ts'
import { type Expression, expressions } from './expressions.ts'
import { compatAttributes, ruleAttributes } from './object-tables.ts'
import type { Rule } from './objects.ts'
import { commentTypes, decodeComment, encodeComment, maximumCommentBytes } from './user-data.ts'

/** Writes the attributes of NFT_MSG_NEWRULE. */
export function encodeRule(writer: AttributeWriter, table: string, rule: Rule): void {
  writer.string(ruleAttributes.table.id, table)
  writer.string(ruleAttributes.chain.id, rule.chain)
  const list = writer.nest(ruleAttributes.expressions.id)
  if (rule.encodedExpressions === undefined) encodeExpressions(writer, rule.expressions)
  else writer.structure(rule.encodedExpressions)
  writer.close(list)
  if (rule.compatProtocol !== undefined) {
    const compat = writer.nest(ruleAttributes.compat.id)
    encodeAttributes(writer, compatAttributes, { protocol: rule.compatProtocol, flags: 0 })
    writer.close(compat)
  }
  if (rule.comment !== undefined) {
    writeComment(writer, rule.comment)
  }
}

/** Most comments are short and plain: they are written without an object in between. */
function writeComment(writer: AttributeWriter, comment: string): void {
  const { id } = ruleAttributes.userData
  if (comment.length < maximumCommentBytes && /^[\x20-\x7e]*$/.test(comment)) {
    const header = String.fromCharCode(commentTypes.rule, comment.length + 1)
    writer.byteString(id, `${header}${comment}\0`)
  } else writer.bytes(id, encodeComment(commentTypes.rule, comment))
}

/** Writes expressions as elements of NFTA_RULE_EXPRESSIONS. Throws for `unknown`, which is only ever read. */
export function encodeExpressions(
  writer: AttributeWriter,
  expressions: readonly Expression[],
): void {
  for (const expression of expressions) {
    const element = writer.nest(ruleAttributes.expressions.element)
    encodeExpression(writer, expression)
    writer.close(element)
  }
}

/** Decodes the attributes of a dumped rule. Expressions that our tables do not have become `unknown`.
 *  Throws a DecodeError. */
export function decodeRule(bytes: Uint8Array, start: number, end: number): Rule {
  const rule = decodeAttributes(ruleAttributes, bytes, 'nf_tables rule', start, end)
  const comment = decodeComment(commentTypes.rule, rule.userData)
  return {
    chain: rule.chain ?? '',
    expressions: (rule.expressions ?? []).map(({ name, data }) =>
      decodeExpression(name ?? '', data ?? new Uint8Array()),
    ),
    ...(comment === undefined ? {} : { comment }),
    ...(rule.compat?.protocol === undefined ? {} : { compatProtocol: rule.compat.protocol }),
    ...(rule.handle === undefined ? {} : { handle: rule.handle }),
  }
}

/** Writes NFTA_EXPR_NAME and NFTA_EXPR_DATA. Throws for `unknown`, which is only ever read. */
export function encodeExpression(writer: AttributeWriter, expression: Expression): void {
  if (expression.name === 'unknown') {
    throw new Error(
      `netlink: the expression "${expression.data.name}" was read from the kernel and is not known here; ` +
        'it cannot be written',
    )
  }
  writer.string(1, expression.name)
  const data = writer.nest(2)
  encodeAttributes(writer, expressions[expression.name], expression.data)
  writer.close(data)
}

/** Decodes an expression by the kernel's name for it. Throws a DecodeError. */
export function decodeExpression(name: string, data: Uint8Array): Expression {
  if (!isKnown(name)) return { name: 'unknown', data: { name, bytes: data } }
  // The row of `name` decodes to the data of the union's member `name`; TypeScript does not follow that.
  return {
    name,
    data: decodeAttributes<(typeof expressions)[typeof name]>(
      expressions[name],
      data,
      `nf_tables expression ${name}`,
    ) satisfies Decoded<(typeof expressions)[typeof name]>,
  } as Expression
}

function isKnown(name: string): name is Exclude<Expression['name'], 'unknown'> {
  return name !== 'unknown' && Object.hasOwn(expressions, name)
}
