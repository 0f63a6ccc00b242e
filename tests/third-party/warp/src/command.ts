import { OPS, type Command } from '@heddle/core';

/** `heddle warp ops`: the ops that the host knows. */
export const opsCommand: Command = {
  name: 'warp ops',
  describe: 'Lists the ops that plugins have added.',
  options: [{ flags: '--json', describe: 'as JSON' }],
  async run({ options, print }, host) {
    const names = host.all(OPS).map(({ name }) => name);
    print(options['json'] === true ? JSON.stringify(names) : names.join('\n'));
    return 0;
  },
};
