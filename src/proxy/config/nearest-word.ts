/** The known word that a mistyped one most likely means; undefined when none is near. */
export function nearestWord(typed: string, known: Iterable<string>): string | undefined {
  if (typed.length > longestWord) return undefined
  let nearest: string | undefined
  let nearestDistance = Math.max(1, Math.floor(typed.length / 3)) + 1
  for (const word of known) {
    const distance = editDistance(typed.toLowerCase(), word.toLowerCase())
    if (distance >= nearestDistance) continue
    nearest = word
    nearestDistance = distance
  }
  return nearest
}

/** Characters; the distance takes the product of both lengths, and no word of ours is half as long. */
const longestWord = 100

/** Levenshtein distance with one row of the table. */
function editDistance(left: string, right: string): number {
  const row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let leftIndex = 1; leftIndex <= left.length; leftIndex++) {
    let diagonal = row[0] ?? 0
    row[0] = leftIndex
    for (let rightIndex = 1; rightIndex <= right.length; rightIndex++) {
      const above = row[rightIndex] ?? 0
      const isSame = left[leftIndex - 1] === right[rightIndex - 1]
      row[rightIndex] = Math.min(
        above + 1,
        (row[rightIndex - 1] ?? 0) + 1,
        diagonal + (isSame ? 0 : 1),
      )
      diagonal = above
    }
  }
  return row[right.length] ?? 0
}
