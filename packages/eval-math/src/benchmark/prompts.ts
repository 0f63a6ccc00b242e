/** Prompts as data: what is put around a problem. */

export interface PromptTemplate {
  readonly name: string;
  readonly system: string | null;
  /** `{problem}` and, where there are any, `{options}`. */
  readonly user: string;
}

export const prompts: readonly PromptTemplate[] = [
  {
    name: 'boxed',
    system: null,
    user: '{problem}{options}\n\nPlease reason step by step, and put your final answer within \\boxed{}.',
  },
  {
    name: 'final-answer',
    system: null,
    user: "{problem}{options}\n\nThink step by step, then write the result on a last line that begins with 'Final Answer:'.",
  },
  { name: 'plain', system: null, user: '{problem}{options}' },
  {
    name: 'parallel',
    system: null,
    user: 'Solve the problem step by step. Whenever a step could go wrong, open a <Parallel> block with several independent <Path> … </Path> attempts, close it with </Parallel>, and draw the conclusion in a <Summary> … </Summary>. End with a line "Final Answer: …".\n\nProblem: {problem}{options}',
  },
];

export interface Message {
  readonly role: 'system' | 'user';
  readonly content: string;
}

export function messagesOf(
  template: PromptTemplate,
  problem: { readonly problem: string; readonly options?: string },
): readonly Message[] {
  const options =
    problem.options === undefined ? '' : `\n${problem.options}\nAnswer with the letter of the right choice.`;
  // Functions, so that a $ in a problem is nothing special.
  const user = template.user.replace('{problem}', () => problem.problem).replace('{options}', () => options);
  return [
    ...(template.system === null ? [] : [{ role: 'system', content: template.system } as const]),
    { role: 'user', content: user },
  ];
}
