/** The `heddle` command as a plugin: its own commands are contributed like anybody's. Loads no engine and no model. */

import { COMMANDS, contribute, definePlugin } from '@heddle/core';
import { commands } from './commands/index.js';
import { version } from './version.js';

export default definePlugin({
  name: '@heddle/cli',
  version,
  register(container) {
    contribute(container, COMMANDS, ...commands);
  },
});
