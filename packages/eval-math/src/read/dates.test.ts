import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradeAnswer } from '../grade.js';
import { readDate } from './dates.js';

const english = 'January February March April May June July August September October November December'.split(' ');

/** The same day in each way of writing it. */
function writings(at: Date): readonly string[] {
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  const name = english[month]!;
  const ordinal = `${day}${day % 10 === 1 && day !== 11 ? 'st' : day % 10 === 2 && day !== 12 ? 'nd' : day % 10 === 3 && day !== 13 ? 'rd' : 'th'}`; // prettier-ignore
  return [
    at.toISOString().slice(0, 10),
    `${name} ${day}, ${year}`,
    `${name.slice(0, 3)}. ${ordinal} ${year}`,
    `${day} ${name} ${year}`,
    `the ${ordinal} of ${name}, ${year}`,
    `\\text{${name} }${day}\\text{, ${year}}`,
    `Monday, ${name} ${day}, ${year}`, // the name of the day is not looked at
  ];
}

const days = fc
  .date({ min: new Date('1000-01-01T00:00:00Z'), max: new Date('9998-12-31T00:00:00Z'), noInvalidDate: true })
  .map(at => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate())));
const next = (at: Date): Date => new Date(at.getTime() + 86_400_000); // ms of a day

describe('a date', () => {
  it('is the same day however it is written, and never the next one', () => {
    fc.assert(
      fc.property(days, fc.nat(6), fc.nat(6), (at, i, k) => {
        expect(gradeAnswer(writings(at)[i]!, writings(at)[k]!).verdict).toBe('correct');
        expect(gradeAnswer(writings(at)[i]!, writings(next(at))[k]!).verdict).toBe('incorrect');
      }),
      { numRuns: 200 },
    );
  });

  it('without a year is another answer than with one', () => {
    expect(gradeAnswer('March 5', '5th of March').verdict).toBe('correct');
    expect(gradeAnswer('March 5, 2024', 'March 5').verdict).toBe('incorrect');
    expect(gradeAnswer('March 5', 'March 6').verdict).toBe('incorrect');
  });

  it('is not seen in what is no day, or may be something else', () => {
    for (const text of [
      'February 30, 2024',
      '2024-13-01',
      '2023-02-29',
      '3/5/2024',
      '2024-3-5',
      'May',
      '5 apples',
      '12',
    ])
      expect(readDate(text), text).toBeNull();
    expect(readDate('29 February')).toBe('--02-29');
    expect(readDate('2024-02-29')).toBe('2024-02-29');
    expect(gradeAnswer('2024-3-5', '2016').verdict).toBe('correct'); // a difference of three numbers
  });
});
