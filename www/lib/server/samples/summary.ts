/** A summary by counting: the sentence whose words the text uses most stands for it. */
import "server-only";

export function summaryOf(text: string): string {
  const sentences =
    text
      .replaceAll(/\s+/g, " ")
      .trim()
      .match(/[^.!?]+[.!?]*/g) ?? [];
  const counts = new Map<string, number>();
  for (const word of wordsIn(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  let best = "";
  let bestScore = -1;
  for (const sentence of sentences) {
    const words = wordsIn(sentence);
    const sum = [...new Set(words)].reduce((score, word) => score + (counts.get(word) ?? 0), 0);
    // Long sentences hold much; the root keeps them from always winning.
    const score = sum / Math.sqrt(words.length || 1);
    if (score > bestScore) [best, bestScore] = [sentence.trim(), score];
  }
  return best;
}

/** Words that mean something by themselves, roughly: those of four letters and more. */
const wordsIn = (text: string): string[] => text.toLowerCase().match(/\p{L}{4,}/gu) ?? [];

/** About as many as a tokenizer would find. */
export const tokensIn = (text: string): number => Math.ceil(text.length / 4);
