import type { CommandCall, Host } from '@heddle/core';
import { methodsOf } from './methods-of.js';

export async function runMethods(call: CommandCall, host: Host): Promise<number> {
  for (const { name, describe = '', laws, parameters = {}, random = false } of methodsOf(host)) {
    if (call.options['json'] === true) {
      call.print(JSON.stringify({ type: 'method', name, describe, laws, parameters, random }));
      continue;
    }
    call.print(`${name}${laws.needsBase ? ' (with a base)' : ''}\n  ${describe}`);
    for (const [parameter, { describe: about, per, default: otherwise, kind }] of Object.entries(parameters)) {
      const value =
        otherwise === undefined ? 'required' : kind === 'flag' ? String(otherwise === 1) : String(otherwise);
      call.print(`    ${parameter}${per === 'model' ? ' of each model' : ''}: ${about} (${value})`);
    }
  }
  return 0;
}
