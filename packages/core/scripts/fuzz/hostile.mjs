/**
 * Damaged safetensors files and shard indexes, and a second opinion on each.
 *
 * The opinion is written apart from the reader, slowly and with other means (`JSON.parse`, a tokeniser, BigInt): both
 * must agree on every file, and what the reader accepts must hold the bytes that the opinion found.
 */

const utf8 = new TextEncoder();
const sizes = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 };
const dtypes = Object.keys(sizes);

/** Mulberry32: the same damage from the same seed everywhere. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const below = n => Math.floor(next() * n);
  return { below, pick: list => list[below(list.length)], chance: p => next() < p };
}

// --- good files -----------------------------------------------------------------------------------------------------

function tensors(random, prefix) {
  const count = random.below(5);
  return Array.from({ length: count }, (_, i) => {
    const dtype = random.pick(dtypes);
    const shape = Array.from({ length: random.below(4) }, () => (random.chance(0.1) ? 0 : 1 + random.below(4)));
    return {
      name: `${prefix}${i}.${random.pick(['weight', 'bias', 'é', '"q"'])}`,
      dtype,
      shape,
      size: shape.reduce((a, b) => a * b, 1) * sizes[dtype],
    };
  });
}

const assemble = (json, data, length = json.length) => {
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
};

function goodFile(random, prefix = 't') {
  let at = 0;
  const header = {};
  if (random.chance(0.5)) header.__metadata__ = { format: 'pt', step: '12' };
  for (const { name, dtype, shape, size } of tensors(random, prefix))
    header[name] = { dtype, shape, data_offsets: [at, (at += size)] };
  const data = Uint8Array.from({ length: at }, () => random.below(256));
  const text = JSON.stringify(header);
  return {
    text: text.padEnd(Math.ceil(utf8.encode(text).length / 8) * 8 - (utf8.encode(text).length - text.length)),
    data,
  };
}

function goodShards(random) {
  const files = new Map();
  const map = {};
  let total = 0;
  const count = 1 + random.below(3);
  for (let i = 1; i <= count; i++) {
    const file = `model-0000${i}-of-0000${count}.safetensors`;
    const { text, data } = goodFile(random, random.chance(0.9) ? `s${i}.` : 's'); // now and then a name in two files
    files.set(file, assemble(utf8.encode(text), data));
    for (const name of Object.keys(JSON.parse(text))) if (name !== '__metadata__') map[name] = file;
    total += data.length;
  }
  const used = new Set(Object.values(map));
  for (const file of files.keys()) if (!used.has(file)) files.delete(file);
  return { files, index: JSON.stringify({ metadata: { total_size: total }, weight_map: map }) };
}

// --- damage ---------------------------------------------------------------------------------------------------------

const numbers = [
  '0',
  '1',
  '2',
  '4',
  '8',
  '-1',
  '-0',
  '1.0',
  '1.5',
  '1e2',
  '1e999',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '18446744073709551615',
  '1'.repeat(400),
  'null',
  'true',
  '""',
  '[]',
  '[1]',
  'NaN',
  '01',
];
const pieces = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  ' ',
  '\n',
  '\u0000',
  '\\ud800',
  '\\u0061',
  'é',
  '\ufeff',
  '{}',
  '"a":1,',
  '"__proto__":{},',
  '"constructor":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},',
  '"toString":"x",',
  '"__metadata__":{},',
  '"__metadata__":{"a":1},',
  '[[[[[[[[[[',
];
const names = [
  '../evil',
  '..',
  '.',
  '',
  '/etc/passwd',
  'C:\\x',
  'a/b',
  'a\\b',
  'x\u0000',
  'nul',
  'model.',
  'model-00001-of-00001.safetensors',
  'other.safetensors',
  '\\u002e\\u002e/x',
];

const spans = (text, pattern) => [...text.matchAll(pattern)].map(match => [match.index, match.index + match[0].length]);
const replaceSpan = (text, [from, to], by) => text.slice(0, from) + by + text.slice(to);

/** Each takes the text of a header or index and gives a damaged one. */
const textDamage = {
  number: (text, random) => editSpan(text, spans(text, /\d+/g), random, () => random.pick(numbers)),
  nearNumber: (text, random) =>
    editSpan(text, spans(text, /\d+/g), random, old => String(Number(old) + random.pick([-8, -4, -2, -1, 1, 2, 4, 8]))),
  insert(text, random) {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + random.pick(pieces) + text.slice(at);
  },
  remove(text, random) {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + text.slice(at + 1 + random.below(4));
  },
  duplicate(text, random) {
    const keys = spans(text, /"(?:[^"\\]|\\.)*":(?:\{[^{}]*\}|\[[^[\]]*\]|"(?:[^"\\]|\\.)*"|\d+)/g);
    if (keys.length === 0) return `${text}{}`;
    const [from, to] = random.pick(keys);
    return `${text.slice(0, from)}${text.slice(from, to)},${text.slice(from)}`;
  },
  swap(text, random) {
    const all = spans(text, random.chance(0.7) ? /\[\d+,\d+\]/g : /"(?:[^"\\]|\\.)*"/g);
    if (all.length < 2) return textDamage.number(text, random);
    const [a, b] = [random.pick(all), random.pick(all)].sort((x, y) => x[0] - y[0]);
    return a === b ? text : replaceSpan(replaceSpan(text, b, text.slice(...a)), a, text.slice(...b));
  },
  string: (text, random) =>
    editSpan(
      text,
      spans(text, /"(?:[^"\\]|\\.)*"/g),
      random,
      () =>
        `"${random.pick([...names, ...dtypes, 'F8_E4M3', 'f32', 'dtype', 'shape', '__proto__', '__metadata__', 'hasOwnProperty'])}"`,
    ),
  /** Moves everything from some offset on: a hole, or an overlap. */
  shift(text, random) {
    const ends = [...text.matchAll(/\[\d+,(\d+)\]/g)].map(match => Number(match[1]));
    const from = ends.length === 0 ? 0 : random.pick(ends);
    const by = random.pick([-4, -1, 1, 4]);
    return text.replace(/\[(\d+),(\d+)\]/g, (old, start, end) =>
      Number(start) >= from ? `[${Number(start) + by},${Number(end) + by}]` : old,
    );
  },
  reverse: (text, random) =>
    editSpan(text, spans(text, /\[\d+,\d+\]/g), random, old => `[${old.slice(1, -1).split(',').reverse().join(',')}]`),
  nothing: text => text,
};

function editSpan(text, all, random, edit) {
  if (all.length === 0) return `${text} `;
  const span = random.pick(all);
  return replaceSpan(text, span, edit(text.slice(...span)));
}

const byteDamage = {
  flip(bytes, random) {
    const out = bytes.slice();
    for (let i = 1 + random.below(3); i > 0 && out.length > 0; i--)
      out[random.below(random.chance(0.3) ? Math.min(16, out.length) : out.length)] ^= 1 << random.below(8);
    return out;
  },
  truncate: (bytes, random) => bytes.slice(0, random.below(bytes.length + 1)),
  append: (bytes, random) =>
    Uint8Array.from([...bytes, ...Array.from({ length: 1 + random.below(9) }, () => random.below(256))]),
  insert(bytes, random) {
    const at = random.below(bytes.length + 1);
    return Uint8Array.from([...bytes.slice(0, at), random.below(256), ...bytes.slice(at)]);
  },
  length(bytes, random) {
    const out = bytes.slice();
    const lie = random.pick([
      0n,
      1n,
      2n,
      7n,
      8n,
      BigInt(bytes.length),
      BigInt(Math.max(0, bytes.length - 8)),
      BigInt(Math.max(0, bytes.length - 7)),
      100_000_000n,
      100_000_001n,
      2n ** 32n,
      2n ** 53n,
      2n ** 63n,
      2n ** 64n - 1n,
    ]);
    if (out.length >= 8) new DataView(out.buffer).setBigUint64(0, lie, true);
    return out;
  },
};

const damageText = (text, random) => {
  let out = text;
  for (let i = random.pick([1, 1, 1, 2, 3]); i > 0; i--)
    out = textDamage[random.pick(Object.keys(textDamage))](out, random);
  return out;
};

const damageBytes = (bytes, random) => byteDamage[random.pick(Object.keys(byteDamage))](bytes, random);

/** A damaged file: mostly damaged text under a right length, so that damage gets past the first check. */
function hostileFile(random) {
  const { text, data } = goodFile(random);
  if (random.chance(0.35)) return damageBytes(assemble(utf8.encode(text), data), random);
  const json = utf8.encode(damageText(text, random));
  const whole = assemble(json, data);
  return random.chance(0.1) ? damageBytes(whole, random) : whole;
}

function hostileShards(random) {
  const { files, index } = goodShards(random);
  if (files.size > 0 && random.chance(0.3)) {
    const file = random.pick([...files.keys()]);
    files.set(file, damageBytes(files.get(file), random));
    return { files, index: utf8.encode(index) };
  }
  const bytes = utf8.encode(damageText(index, random));
  return { files, index: random.chance(0.15) ? damageBytes(bytes, random) : bytes };
}

// --- the second opinion ---------------------------------------------------------------------------------------------

const refused = Symbol('refused');
const demand = truth => {
  if (!truth) throw refused;
};

const opinion = judge => {
  try {
    return judge();
  } catch (error) {
    if (error === refused || error instanceof SyntaxError || error instanceof TypeError) return null; // TypeError: bad UTF-8
    throw error;
  }
};

function strictParse(bytes, number) {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const value = JSON.parse(text);
  const open = [];
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs) ?? [];
  tokens.forEach((token, i) => {
    if (token === '{' || token === '[') {
      open.push(new Set());
      demand(open.length <= 64);
    } else if (token === '}' || token === ']') open.pop();
    else if (token.startsWith('"')) {
      const string = JSON.parse(token);
      demand(string.isWellFormed());
      if (tokens[i + 1] !== ':') return;
      demand(!open.at(-1).has(string));
      open.at(-1).add(string);
    } else if (/^[-\d]/.test(token)) demand(number.test(token) && Number.isFinite(Number(token)));
  });
  return value;
}

const isObject = value => value !== null && typeof value === 'object' && !Array.isArray(value);
const own = value => Object.getOwnPropertyNames(value);
const isWhole = n => typeof n === 'number' && n >= 0 && n <= Number.MAX_SAFE_INTEGER && Math.floor(n) === n;
const reserved = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype']);

/** The tensors of a file, or null when it must be refused. */
export const judgeFile = bytes =>
  opinion(() => {
    demand(bytes.length >= 8);
    let length = 0n;
    for (let i = 7; i >= 0; i--) length = length * 256n + BigInt(bytes[i]);
    demand(length <= 100_000_000n && length <= BigInt(bytes.length) - 8n);
    const header = strictParse(bytes.slice(8, 8 + Number(length)), /^\d+$/);
    demand(isObject(header));
    const data = bytes.slice(8 + Number(length));
    const claims = new Uint8Array(data.length); // how often each byte is claimed
    const found = new Map();
    const edges = [];
    for (const name of own(header)) {
      const entry = Object.getOwnPropertyDescriptor(header, name).value;
      if (name === '__metadata__') {
        demand(isObject(entry));
        for (const key of own(entry)) demand(!reserved.has(key) && typeof entry[key] === 'string');
        continue;
      }
      demand(!reserved.has(name) && isObject(entry) && own(entry).sort().join() === 'data_offsets,dtype,shape');
      const { dtype, shape, data_offsets: offsets } = entry;
      demand(typeof dtype === 'string' && dtypes.includes(dtype));
      demand(
        Array.isArray(shape) &&
          shape.every(isWhole) &&
          Array.isArray(offsets) &&
          offsets.length === 2 &&
          offsets.every(isWhole),
      );
      let count = 1n;
      for (const n of shape) {
        count *= BigInt(n);
        demand(count <= BigInt(Number.MAX_SAFE_INTEGER));
      }
      const [start, end] = offsets;
      demand(start <= end && end <= data.length && count * BigInt(sizes[dtype]) === BigInt(end - start));
      for (let i = start; i < end; i++) claims[i]++;
      edges.push([start, end]);
      found.set(name, { dtype, shape, bytes: data.slice(start, end) });
    }
    demand(claims.every(times => times === 1));
    // Empty ones stand between tensors, not inside one.
    demand(edges.every(([start, end]) => start < end || !edges.some(([from, to]) => from < start && start < to)));
    return found;
  });

const devices = [
  'con',
  'prn',
  'aux',
  'nul',
  ...['com', 'lpt'].flatMap(port => [...'0123456789¹²³'].map(digit => port + digit)),
];

const isPlain = name =>
  name.length > 0 &&
  ![...name].some(c => c < ' ' || c === '\u007f' || c === '/' || c === '\\' || c === ':') &&
  !['.', ' '].includes(name.at(-1)) &&
  !devices.includes(name.split('.')[0].toLowerCase());

/** The tensors of all shards, or null when index or shards must be refused. */
export const judgeShards = ({ files, index }) =>
  opinion(() => {
    const value = strictParse(index, /./);
    demand(isObject(value) && isObject(value.weight_map));
    const map = value.weight_map;
    demand(own(map).length > 0);
    for (const name of own(map)) demand(typeof map[name] === 'string' && isPlain(map[name]));
    const found = new Map();
    for (const file of new Set(own(map).map(name => map[name]))) {
      demand(files.has(file));
      const inside = judgeFile(files.get(file));
      demand(inside !== null);
      for (const [name, tensor] of inside) {
        demand(!found.has(name) && Object.hasOwn(map, name) && map[name] === file);
        found.set(name, tensor);
      }
    }
    demand(own(map).every(name => found.has(name)));
    if (Object.hasOwn(value, 'metadata')) {
      demand(isObject(value.metadata));
      if (Object.hasOwn(value.metadata, 'total_size')) {
        const sum = [...found.values()].reduce((total, { bytes }) => total + bytes.length, 0);
        demand(value.metadata.total_size === sum);
      }
    }
    return found;
  });

// --- the trial ------------------------------------------------------------------------------------------------------

/** A source that remembers whether anybody read outside of it, and whether it was closed. */
function watched(bytes, name, violations) {
  const source = {
    name,
    size: bytes.length,
    closed: false,
    async read(start, end) {
      if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= bytes.length))
        violations.push(`read ${start} to ${end} of ${bytes.length} bytes`);
      return bytes.slice(start, end);
    },
    async close() {
      source.closed = true;
    },
  };
  return source;
}

const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

async function compare(file, expected, violations) {
  if (file.entries.length !== expected.size)
    violations.push(`${file.entries.length} tensors instead of ${expected.size}`);
  for (const [name, { dtype, shape, bytes }] of expected) {
    const read = await file.read(name);
    if (read.dtype !== dtype || read.shape.join() !== shape.join() || !same(read.bytes, bytes))
      violations.push(`${name} differs`);
    if (shape.length > 0 && shape[0] > 0) {
      const row = bytes.length / shape[0];
      const last = await file.read(name, { rows: [shape[0] - 1, shape[0]] });
      if (!same(last.bytes, bytes.slice(bytes.length - row))) violations.push(`last row of ${name} differs`);
    }
  }
}

/** Opens, compares verdicts, reads everything; gives what went wrong and whether the file was refused. */
async function trial(api, open, expected, sources, violations) {
  let file;
  try {
    file = await open();
  } catch (error) {
    if (!api.isHeddleError(error)) violations.push(`another exception: ${error?.stack ?? error}`);
    if (expected !== null) violations.push(`refused what is good: ${error?.message}`);
    if (sources.some(source => !source.closed)) violations.push('refused, but a source stayed open');
    return 'refused';
  }
  if (expected === null) violations.push('accepted what is bad');
  else await compare(file, expected, violations);
  await file.close();
  if (sources.some(source => !source.closed)) violations.push('a source stayed open');
  return 'accepted';
}

/**
 * Tries a number of damaged files and indexes on a reader.
 *
 * @param api openSafetensors, openSharded, isHeddleError, fail of the build under test
 * @param mutations how many
 * @param seed of the damage
 * @returns counts, and for each violation the words and the number of the mutation
 */
export async function fuzz(api, mutations, seed = 1) {
  const outcome = { mutations, refused: 0, accepted: 0, violations: [] };
  for (let i = 0; i < mutations; i++) {
    const random = randomFrom(seed * 1_000_003 + i);
    const violations = [];
    const sources = [];
    const watch = (bytes, name) => {
      const source = watched(bytes, name, violations);
      sources.push(source);
      return source;
    };
    if (random.chance(0.65)) {
      const bytes = hostileFile(random);
      outcome[
        await trial(api, () => api.openSafetensors(watch(bytes, 'fuzzed')), judgeFile(bytes), sources, violations)
      ]++;
    } else {
      const shards = hostileShards(random);
      const open = async name => {
        if (!isPlain(name)) violations.push(`asked for the file ${JSON.stringify(name)}`);
        const bytes = shards.files.get(name);
        return bytes === undefined
          ? api.fail('E_IO', `${name}: expected a file, received nothing. None.`)
          : watch(bytes, name);
      };
      outcome[await trial(api, () => api.openSharded(open, shards.index), judgeShards(shards), sources, violations)]++;
    }
    outcome.violations.push(...violations.map(text => `mutation ${i}: ${text}`));
  }
  return outcome;
}
