/** The `heddle` command as a plugin: its own commands are contributed like anybody's. */

import { COMMANDS, contribute, definePlugin } from '@heddle/core';
import { commands } from './commands/index.js';
import { version } from './version.js';

export { loadModel, saveModel, type TrainedModel } from './model-folder.js';

export default definePlugin({
  name: '@heddle/cli',
  version,
  register(container) {
    contribute(container, COMMANDS, ...commands);
  },
});
