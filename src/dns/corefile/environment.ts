/** Fills in `{$NAME}` and `{%NAME%}`; a variable that is not set is empty, as in Caddy. */
export function fillEnvironment(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (!text.includes('{%') && !text.includes('{$')) return text
  const value = (_: string, name: string): string => environment[name] ?? ''
  return text.replace(/\{%([^%}]+)%\}/g, value).replace(/\{\$([^}]+)\}/g, value)
}
