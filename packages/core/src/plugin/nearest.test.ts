import { describe, expect, it } from 'vitest';
import { nearest, suggest } from './nearest.js';

describe('suggestions', () => {
  it('finds a slip of a finger, in either case, and a part of the name', () => {
    expect(nearest('emah', ['emha', 'dense', 'local'])).toEqual(['emha']);
    expect(nearest('Math', ['@heddle/eval-math', 'text'])).toEqual(['@heddle/eval-math']);
    expect(nearest('zebra', ['emha', 'dense'])).toEqual([]);
  });

  it('lists everything when nothing is close', () => {
    expect(suggest('zebra', ['b', 'a'])).toBe("There are: 'a', 'b'.");
    expect(suggest('zebra', [])).toBe('There are none.');
    expect(suggest('adam', ['adamw', 'sgd'])).toBe("Did you mean 'adamw'?");
  });
});
