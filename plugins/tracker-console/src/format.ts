/** Numbers as people read them. Each has a steady width, so that a line redrawn in place does not jump. */

/** `950`, `1.2k`, `18.3k`, `124M`, `1.5G`. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const sign = value < 0 ? '-' : '';
  let rest = Math.abs(value);
  for (const unit of ['', 'k', 'M', 'G']) {
    const shown = unit === '' || rest >= 99.95 ? Math.round(rest) : Number(rest.toFixed(1));
    if (shown < 1000 || unit === 'G') return `${sign}${unit === '' || shown >= 100 ? shown : shown.toFixed(1)}${unit}`;
    rest /= 1000;
  }
  return '-';
}

/** Seconds as `0.4s`, `12s`, `1m 03s`, `2h 05m`, `3d 04h`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '-';
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`;
}

/** A loss or score in about four digits: `10.83`, `2.134`, `0.0123`, `1.2e-5`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e6)) return value.toExponential(1).replace('e+', 'e');
  return size >= 1000
    ? value.toFixed(0)
    : size >= 100
      ? value.toFixed(1)
      : size >= 10
        ? value.toFixed(2)
        : size >= 0.1 || size === 0
          ? value.toFixed(3)
          : value.toFixed(4);
}

/** `37%`, rounded down: 100 % is said only when all is done. */
export const percent = (part: number, whole: number): string =>
  whole > 0 ? `${Math.floor((Math.min(part, whole) / whole) * 100)}%` : '-';

const two = (value: number): string => String(value).padStart(2, '0');

/** Text from elsewhere (names, messages) on one line, without codes that move the cursor or recolour the terminal. */
export const oneLine = (text: string): string =>
  text
    // oxlint-disable-next-line no-control-regex -- these are what is taken out
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
    // oxlint-disable-next-line no-control-regex
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim();
