/** Days of the calendar, however they are written: `March 5, 2024`, `5th of March 2024`, `2024-03-05`. */

const months = 'january february march april may june july august september october november december'.split(' ');
const monthNames = new Map(months.flatMap((name, i) => [name, name.slice(0, 3), ...(i === 8 ? ['sept'] : [])].map(word => [word, i + 1]))); // prettier-ignore
const weekday = /^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? +/;

const iso = /^(\d{4})-(\d{2})-(\d{2})$/;
const monthFirst = /^([a-z]{3,9})\.? +(\d{1,2})(?:st|nd|rd|th)?(?:,? +(\d{4}))?$/;
const dayFirst = /^(?:the +)?(\d{1,2})(?:st|nd|rd|th)?(?: +of)? +([a-z]{3,9})\.?(?:,? +(\d{4}))?$/;

const longest = 48;

/**
 * Only what can be nothing else: months by name in English, or the order of ISO 8601 with all its digits. `3/5/2024` is
 * another day in another country, and a fraction first of all.
 *
 * @returns `2024-03-05`, `--03-05` where no year is said, or null for what is no day
 */
export function readDate(source: string): string | null {
  if (source.length > longest || !/\d/.test(source)) return null;
  const text = source
    .replace(/\\(?:text|mathrm|textbf|mbox)\s*\{([^{}]*)\}/g, '$1')
    .replace(/\\[ ,]|~/g, ' ')
    .trim()
    .toLowerCase()
    .replace(weekday, '');
  const parts = iso.exec(text);
  if (parts) return dayOf(parts[1], Number(parts[2]), Number(parts[3]));
  const named = monthFirst.exec(text);
  if (named) return dayOf(named[3], monthNames.get(named[1]!) ?? 0, Number(named[2]));
  const later = dayFirst.exec(text);
  return later ? dayOf(later[3], monthNames.get(later[2]!) ?? 0, Number(later[1])) : null;
}

function dayOf(year: string | undefined, month: number, day: number): string | null {
  // Without a year the 29th of February may be meant.
  const days = month >= 1 && month <= 12 ? new Date(Date.UTC(Number(year ?? 2000), month, 0)).getUTCDate() : 0;
  const two = (n: number): string => String(n).padStart(2, '0');
  return day >= 1 && day <= days ? `${year ?? '-'}-${two(month)}-${two(day)}` : null;
}
