/** Units of measure and currencies: what they are called, and what they are worth in the first unit of their kind. */

import { rational, type Rational } from '../exact/rational.js';

export interface Unit {
  /** `length`, `time` …; units of one kind can be turned into each other. */
  readonly kind: string;
  readonly factor: Rational;
}

type Row = readonly [names: string, n: number, d?: number];

const kinds: Readonly<Record<string, readonly Row[]>> = {
  length: [
    ['m meter meters metre metres', 1],
    ['cm centimeter centimeters centimetre centimetres', 1, 100],
    ['mm millimeter millimeters millimetres', 1, 1000],
    ['km kilometer kilometers kilometre kilometres', 1000],
    ['in inch inches', 254, 10_000],
    ['ft foot feet', 3048, 10_000],
    ['yd yard yards', 9144, 10_000],
    ['mi mile miles', 1_609_344, 1000],
    ['dm', 1, 10],
    ['nm', 1, 1_000_000_000],
  ],
  time: [
    ['s sec secs second seconds', 1],
    ['min mins minute minutes', 60],
    ['h hr hrs hour hours', 3600],
    ['day days', 86_400],
    ['week weeks', 604_800],
    ['ms millisecond milliseconds', 1, 1000],
  ],
  month: [
    ['month months', 1],
    ['year years yr yrs', 12],
  ],
  mass: [
    ['g gram grams gm gms', 1],
    ['kg kilogram kilograms', 1000],
    ['mg milligram milligrams', 1, 1000],
    ['lb lbs pound pounds', 45_359_237, 100_000],
    ['oz ounce ounces', 45_359_237, 1_600_000],
    ['ton tons tonne tonnes', 1_000_000],
  ],
  volume: [
    ['L l liter liters litre litres', 1],
    ['mL ml milliliter milliliters', 1, 1000],
    ['gallon gallons gal', 3785, 1000],
    ['cup cups', 1, 4],
  ],
  money: [
    ['$ dollar dollars usd', 1],
    ['cent cents ¢', 1, 100],
  ],
  euro: [['€ euro euros', 1]],
  pound: [['£', 1]],
  yuan: [['yuan rmb ¥ 元', 1]],
  rupee: [['₹ rupee rupees rs', 1]],
  yen: [['yen', 1]],
  angle: [['degree degrees deg', 1]],
  radian: [['rad rads radian radians', 1]],
  temperature: [['fahrenheit', 1]],
  celsius: [['celsius', 1]],
  kelvin: [['kelvin kelvins', 1]],
  speed: [
    ['mph', 44_704, 100_000],
    ['kph kmh', 1000, 3600],
  ],
  force: [['N newton newtons', 1]],
  energy: [
    ['J joule joules', 1],
    ['kJ', 1000],
    ['eV', 1, 1],
  ],
  power: [
    ['W watt watts', 1],
    ['kW', 1000],
  ],
  pressure: [
    ['Pa pascal pascals', 1],
    ['kPa', 1000],
  ],
  voltage: [['V volt volts', 1]],
  frequency: [
    ['Hz hertz', 1],
    ['kHz', 1000],
  ],
  charge: [['C', 1]],
  morning: [['am', 1]],
  afternoon: [['pm', 1]],
};

const table: ReadonlyMap<string, Unit> = new Map(
  Object.entries(kinds).flatMap(([kind, rows]) =>
    rows.flatMap(([names, n, d = 1]) =>
      names.split(' ').map(name => [name, { kind, factor: rational(BigInt(n), BigInt(d)) }] as const),
    ),
  ),
);

/** A unit by its name; long names in any case. */
export const unitOf = (name: string): Unit | null =>
  table.get(name) ?? (name.length > 2 ? (table.get(name.toLowerCase()) ?? null) : null);

/** Names that are units even where they stand as plain letters after a number; single letters are variables there. */
export const isPlainUnit = (name: string): boolean => name.length > 1 && name !== 'in' && unitOf(name) !== null;
