import { describe, expect, it } from 'vitest';
import { generateSubjects, networkOf, networkShare } from './generate.js';
import { splitSubjects } from './split.js';
import { checkMatrix, type Subject } from './subject.js';

const [regions, networks] = [21, 3];
const make = (effect: number, subjects = 80): readonly Subject[] =>
  generateSubjects({ subjects, regions, networks, moments: 100, effect, seed: 3 });

/** Mean correlation between the regions of two networks. */
function between({ matrix }: Subject, a: number, b: number): number {
  const values: number[] = [];
  for (let r = 0; r < regions; r++)
    for (let s = 0; s < regions; s++)
      if (r !== s && networkOf(r, regions, networks) === a && networkOf(s, regions, networks) === b)
        values.push(matrix[r * regions + s]!);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Share of pairs of a patient and a control in which the patient has more. */
function auroc(subjects: readonly Subject[], score: (subject: Subject) => number): number {
  const [patients, controls] = [1, 0].map(label => subjects.filter(one => one.label === label).map(score));
  const wins = patients!.flatMap(p => controls!.map(c => (p > c ? 1 : 0) as number));
  return wins.reduce((sum, win) => sum + win, 0) / wins.length;
}

describe('generated subjects', () => {
  it('differ by label where the difference was planted, and nowhere else', () => {
    const subjects = make(0.5);
    const difference = (a: number, b: number): number => {
      const [patients, controls] = [1, 0].map(label =>
        subjects.filter(one => one.label === label).map(one => between(one, a, b)),
      );
      const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
      return mean(patients!) - mean(controls!);
    };
    // A mean of 40 subjects, each with a deviation of about 0.05: five standard errors are 0.06.
    expect(Math.abs(difference(0, 1) - 0.5 * networkShare)).toBeLessThan(0.06);
    for (const [a, b] of [
      [0, 2],
      [1, 2],
      [0, 0],
      [1, 1],
      [2, 2],
    ] as const)
      expect(Math.abs(difference(a, b))).toBeLessThan(0.06);
    expect(auroc(subjects, one => between(one, 0, 1))).toBeGreaterThan(0.95);
    expect(Math.abs(auroc(make(0), one => between(one, 0, 1)) - 0.5)).toBeLessThan(0.25);
  });

  it('are correlation matrices, and the same whatever the count', () => {
    const subjects = make(0.3, 20);
    for (const { matrix, id } of subjects) checkMatrix(matrix, [regions, regions], id);
    expect(make(0.3, 10)).toEqual(subjects.slice(0, 10));
    expect(subjects.filter(({ label }) => label === 1)).toHaveLength(10);
    expect(new Set(subjects.map(({ site }) => site)).size).toBe(4);
  });

  it.each([{ subjects: 0 }, { subjects: 2, regions: 5 }, { subjects: 2, networks: 2 }, { subjects: 2, effect: 2 }])(
    '%j is refused',
    options => {
      expect(() => generateSubjects(options)).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
    },
  );
});

describe('the split', () => {
  const subjects = Array.from({ length: 200 }, (_, i): Subject => ({
    id: `${i}`,
    matrix: new Float32Array(4),
    label: i % 3 === 0 ? 1 : 0,
    site: `${i % 7}`,
  }));

  it('gives each part its share of every site and label, and every subject to one part', () => {
    const parts = splitSubjects(subjects);
    expect([parts.train.length, parts.validation.length, parts.test.length]).toEqual([140, 20, 40]);
    expect(new Set([...parts.train, ...parts.validation, ...parts.test]).size).toBe(200);
    for (const label of [0, 1])
      for (let site = 0; site < 7; site++) {
        const own = (part: readonly Subject[]) =>
          part.filter(one => one.label === label && one.site === `${site}`).length;
        expect(Math.abs(own(parts.test) - 0.2 * own(subjects))).toBeLessThanOrEqual(1);
        expect(Math.abs(own(parts.validation) - 0.1 * own(subjects))).toBeLessThanOrEqual(1.5);
      }
  });

  it('depends on ids and seed alone', () => {
    const names = (given: readonly Subject[], seed = 0) => splitSubjects(given, { seed }).test.map(({ id }) => id);
    expect(names(subjects.toReversed())).toEqual(names(subjects));
    expect(names(subjects, 1)).not.toEqual(names(subjects));
  });

  it('refuses what cannot be parted', () => {
    expect(() => splitSubjects(subjects, { test: 1 })).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
    expect(() => splitSubjects([...subjects, subjects[0]!])).toThrow(expect.objectContaining({ code: 'E_DUPLICATE' }));
    expect(() => splitSubjects(subjects.slice(0, 1))).toThrow(expect.objectContaining({ code: 'E_EMPTY' }));
  });
});
