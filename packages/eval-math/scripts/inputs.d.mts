export function numbers(seed: number): () => number;
export function makeInput(draw: () => number, real: readonly string[]): string;
export const someAnswers: readonly string[];
