/** Events of TensorBoard as protocol buffers: `event.proto` and `summary.proto` of TensorBoard, as far as curves and texts need. */

/** Bytes of one event. */
export type LogEvent = Uint8Array;

type Field = readonly (Uint8Array | readonly number[])[];

const utf8 = new TextEncoder();

function joined(parts: Field): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let left = value;
  while (left >= 128) {
    bytes.push((left % 128) | 128);
    left = Math.floor(left / 128);
  }
  return [...bytes, left];
}

const key = (field: number, wire: 0 | 1 | 2 | 5): number => (field << 3) | wire;
const int = (field: number, value: number): Field => [[key(field, 0)], varint(value)];
const bytes = (field: number, value: Uint8Array): Field => [[key(field, 2)], varint(value.length), value];
const string = (field: number, value: string): Field => bytes(field, utf8.encode(value));
const message = (field: number, ...parts: readonly Field[]): Field => bytes(field, joined(parts.flat()));
const double = (field: number, value: number): Field => [
  [key(field, 1)],
  new Uint8Array(new Float64Array([value]).buffer),
];
const float = (field: number, value: number): Field => [
  [key(field, 5)],
  new Uint8Array(new Float32Array([value]).buffer),
];

/** @param seconds since 1970 */
const event = (seconds: number, step: number, what: Field): LogEvent =>
  joined([...double(1, seconds), ...(step === 0 ? [] : int(2, step)), ...what]);

/** The first event of a file. */
export const fileVersion = (seconds: number): LogEvent => event(seconds, 0, string(3, 'brain.Event:2'));

/** A run that goes on: what an earlier file says of steps from here on no longer counts. */
export const sessionStart = (seconds: number, step: number): LogEvent => event(seconds, step, message(7, int(1, 1)));

/** Points of curves by their names. */
export const scalars = (seconds: number, step: number, values: Readonly<Record<string, number>>): LogEvent =>
  event(
    seconds,
    step,
    message(5, ...Object.entries(values).map(([tag, value]) => message(1, string(1, tag), float(2, value)))),
  );

/** A text, shown as Markdown. */
export const text = (seconds: number, step: number, tag: string, content: string): LogEvent =>
  event(
    seconds,
    step,
    message(
      5,
      message(
        1,
        string(1, tag),
        message(8, int(1, 7), message(2, message(2, int(1, 1))), string(8, content)), // a tensor of one text
        message(9, message(1, string(1, 'text'))),
      ),
    ),
  );
