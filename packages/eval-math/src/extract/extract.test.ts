/** Where answers are found. */

import { describe, expect, it } from 'vitest';
import { defaultExtractOptions, extract } from './extract.js';

const found = (text: string, options: Partial<typeof defaultExtractOptions> = {}): string | null =>
  extract(text, { ...defaultExtractOptions, ...options })?.text ?? null;

describe('boxes', () => {
  it.each([
    ['nested braces', 'so \\boxed{\\frac{1}{\\sqrt{2}}}.', '\\frac{1}{\\sqrt{2}}'],
    ['the last one', '\\boxed{1} but no: wait, that was wrong. Really \\boxed{2}', '2'],
    ['those that go on', '$\\boxed{1}$, $\\boxed{2}$ and $\\boxed{3}$', '1, 2, 3'],
    ['the same twice', '$\\boxed{5}$ or $\\boxed{5}$', '5'],
    ['\\fbox', '\\fbox{7}', '7'],
    ['without braces', 'thus \\boxed 42 indeed', '42'],
    ['without an end', 'thus $\\boxed{42', '42'],
    ['a box in a box', '\\boxed{\\boxed{3}}', '\\boxed{3}'],
    ['an empty one is none', '\\boxed{8} and then \\boxed{}', '8'],
    ['percent behind it', '$\\boxed{20}$ percent', '20\\%'],
  ])('%s', (_, text, answer) => expect(found(text)).toBe(answer));

  it('first and all', () => {
    const text = 'First \\boxed{1}. Then, much later in the same text and for another reason: \\boxed{2}.';
    expect(found(text, { boxes: 'first' })).toBe('1');
    expect(found(text, { boxes: 'all' })).toBe('1, 2');
  });
});

describe('announcements', () => {
  it.each([
    ['Final Answer: 42', '42'],
    ['**Final Answer:** $x = 3$', '$x = 3$'],
    ['The answer is 1,234.56. I hope it is correct.', '1,234.56'],
    ['Final Answer: The largest $n$ is 34.', '34'],
    ['The final answer is $\\frac{1}{2}$. I hope so.', '$\\frac{1}{2}$'],
    ['The answer is (B).', '(B)'],
    ['#### 18', '18'],
    ['所以答案是 $5$。', '$5$'],
    ['答案为12', '12'],
    ['La respuesta es 7.', '7'],
    ['La réponse est $3$.', '$3$'],
    ['Die Antwort lautet 9.', '9'],
    ['Ответ: 15', '15'],
    ['A resposta final é 21.', '21'],
  ])('%s', (text, answer) => expect(found(text)).toBe(answer));
});

describe('without either', () => {
  it.each([
    ['Therefore $x \\geq 5$ is the solution.', 'x \\geq 5'],
    ['We get \\[ x = 3 \\] in the end', 'x = 3'],
    ['so there are 12 ways to do it', '12'],
    ['It costs $5 more than 3 apples, so 8 in all', '8'],
    ['\\frac{3}{4}', '\\frac{3}{4}'],
    ['**73**', '**73**'],
  ])('%s', (text, answer) => expect(found(text)).toBe(answer));

  it('is none where there is none', () => {
    expect(found('')).toBeNull();
    expect(found('I am not sure at all, sorry.')).toBeNull();
  });
});

describe('reasoning', () => {
  it('does not count', () => {
    expect(found('<think>\\boxed{1}</think> It is \\boxed{2}')).toBe('2');
    expect(found('<think>\\boxed{1}</think> I give up.')).toBeNull();
  });
  it('may be required', () => expect(found('\\boxed{1}', { reasoningRequired: true })).toBeNull());
  it('ends where the turn ends', () =>
    expect(found('The answer is 4.<|im_end|>\n<|im_start|>user What is 5 + 6?')).toBe('4'));
});
