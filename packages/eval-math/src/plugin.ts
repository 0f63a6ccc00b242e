/** The plugin: grader `math`, reward `math`, and the commands. Apart from the main entry, which needs no kernel. */

import { COMMANDS, GRADERS, REWARDS, contribute, definePlugin } from '@heddle/core';
import { commands } from './commands.js';
import { mathGrader } from './grader.js';
import { mathReward } from './reward.js';
import { version } from './version.js';

export { mathGrader } from './grader.js';
export { mathReward, type RewardOptions } from './reward.js';

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/eval-math',
  version,
  register(container) {
    contribute(container, GRADERS, mathGrader());
    contribute(container, REWARDS, mathReward());
    for (const command of commands) contribute(container, COMMANDS, command);
  },
});
