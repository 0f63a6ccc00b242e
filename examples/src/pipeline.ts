/** Two stages that pass an artifact; the second run takes what is stored. Run: node examples/dist/pipeline.js */

import { createHost, defineStage, pipeline, schemaOf, type FlowEvent } from '@heddle/core';
import { lastValueFrom, tap, toArray } from 'rxjs';

interface Lines {
  readonly lines: readonly string[];
}
interface Counts {
  readonly counts: string;
}
interface Top {
  readonly top: readonly string[];
}
const has = (value: unknown, key: string): boolean => typeof value === 'object' && value !== null && key in value;
const lines = schemaOf<Lines>('{ lines }', (value): value is Lines => has(value, 'lines'));
const counts = schemaOf<Counts>('{ counts: URI }', (value): value is Counts => has(value, 'counts'));
const top = schemaOf<Top>('{ top }', (value): value is Top => has(value, 'top'));

// Small JSON goes from stage to stage; what is big goes into an artifact, and its URI goes along.
const count = defineStage({
  name: 'count',
  version: 1,
  input: lines,
  output: counts,
  async run({ lines }, { artifacts }) {
    const seen: Record<string, number> = {};
    for (const word of lines.flatMap(line => line.split(' '))) seen[word] = (seen[word] ?? 0) + 1;
    return { counts: await artifacts.put('counts.json', new TextEncoder().encode(JSON.stringify(seen))) };
  },
});

const rank = defineStage({
  name: 'rank',
  version: 1,
  input: counts,
  output: top,
  async run({ counts }, { artifacts }) {
    const bytes = await (await artifacts.open(counts)).bytes();
    const all = Object.entries(JSON.parse(new TextDecoder().decode(bytes)) as Record<string, number>);
    return {
      top: all
        .sort((a, b) => b[1] - a[1])
        .slice(0, 2)
        .map(([word, times]) => `${word} ${times}`),
    };
  },
});

const app = createHost();
const flow = pipeline('words').then(count).then(rank); // stages that do not fit are a type error
const input = { lines: ['the warp and the weft', 'the heddle lifts the warp'] };
for (const attempt of ['first', 'second']) {
  console.log(`${attempt} run`);
  const events = app.execute(flow, input).pipe(
    tap(event => console.log(`  ${describe(event as FlowEvent)}`)),
    toArray(),
  );
  await lastValueFrom(events);
}
await app.close();

function describe(event: FlowEvent): string {
  if (event.type === 'flow.finished') return `finished: ${JSON.stringify(event.output)}`;
  return 'stage' in event ? `${event.type} ${event.stage}` : event.type;
}
