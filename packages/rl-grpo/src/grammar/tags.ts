/** The six tags that open and close parallel thinking. */

export const tagTexts = {
  parallel: '<Parallel>',
  endParallel: '</Parallel>',
  path: '<Path>',
  endPath: '</Path>',
  summary: '<Summary>',
  endSummary: '</Summary>',
} as const;

export type TagName = keyof typeof tagTexts;
export type TagText = (typeof tagTexts)[TagName];

export const tagNames = Object.keys(tagTexts) as readonly TagName[];

/** Token ids of the tags in some vocabulary. */
export type TagIds = Readonly<Record<TagName, number>>;

const anyTag = /<\/?(?:Parallel|Path|Summary)>/g;

/** Every tag of a text, in order. */
export const tagsIn = (text: string): readonly { readonly tag: TagText; readonly at: number }[] =>
  [...text.matchAll(anyTag)].map(({ 0: tag, index }) => ({ tag: tag as TagText, at: index }));

export const withoutTags = (text: string): string => text.replaceAll(anyTag, '');

/** How often a text opens a block. */
export const countBlocks = (text: string): number => text.split(tagTexts.parallel).length - 1;
