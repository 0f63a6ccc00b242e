/** Grades answers to math problems and says why. Loads nothing else: no engine, no model, no other package. */

export { canonicalForm, grade, gradeAnswer, sentences } from './grade.js';
export type { DeepSide, GradeOptions, MathVerdict, Side, Stage, VerdictName } from './grade.js';
export { gradeAll, type GradePair } from './grade-all.js';
export { profiles, type ProfileName } from './profiles.js';
export {
  extract,
  defaultExtractOptions,
  type ExtractOptions,
  type Extraction,
  type Target,
} from './extract/extract.js';
export { defaultCompareOptions, type CompareOptions, type RuleId } from './equal/compare.js';
export { defaultLimits, openBudget, type Budget, type Limits } from './budget.js';
export { readMath, type Read } from './read-math.js';
export { valueAt } from './read-math.js';
export type { BigNode, Node, NumberNode, RelationName } from './tree.js';
export type { Rational } from './exact/rational.js';
export { version } from './version.js';
