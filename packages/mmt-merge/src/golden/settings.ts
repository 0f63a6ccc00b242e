/** Values of parameters over depth and tensor names. */

import type { GoldenCase } from '@heddle/core/testing/golden';
import { evaluateSetting, type Setting } from '../recipe/setting.js';

interface SettingRow {
  readonly id: string;
  readonly setting: Setting;
  readonly tensorName: string;
  readonly t: number;
  readonly expected: unknown;
}

export function checkSetting({ id, setting, tensorName, t, expected }: SettingRow): GoldenCase {
  const found = evaluateSetting(setting, tensorName, t) ?? null;
  const passed =
    typeof found === 'number' && typeof expected === 'number' ? Math.abs(found - expected) < 1e-12 : found === expected;
  return { id, passed, detail: passed ? `${String(found)}` : `expected ${String(expected)}, found ${String(found)}` };
}
