/** Reinforcement learning of language models, and thinking in parallel paths (Parallel-R1). */

export { initialiseTags, tagIds } from './grammar/ids.js';
export { checkFormat, isWellFormed, type FormatProblem } from './grammar/format.js';
export {
  parseThinking,
  type BlockPart,
  type Part,
  type PathPart,
  type Span,
  type SummaryPart,
  type TextPart,
} from './grammar/parse.js';
export {
  countBlocks,
  tagNames,
  tagsIn,
  tagTexts,
  withoutTags,
  type TagIds,
  type TagName,
  type TagText,
} from './grammar/tags.js';
export {
  linearRollout,
  type Engine,
  type EngineCall,
  type LinearOptions,
  type LinearRollout,
} from './rollout/linear.js';
export {
  actorMask,
  hiddenPairs,
  rolloutPositions,
  sftItem,
  sftMask,
  sftPositions,
  type HiddenPair,
  type Range,
  type SftItem,
} from './structure/compat.js';
export { scanBlocks, type BlockSpan, type PathSpan } from './structure/scan.js';
export { checkSegments, maskOf, positionsOf, segmentsOf, type Segment } from './structure/segments.js';
export { version } from './version.js';
