import type { Command } from '@heddle/core';

export const doctor: Command = {
  name: 'doctor',
  describe: 'Show what this machine can do: engines and why others are not there, plugins, disk.',
  options: [],
  examples: ['doctor', 'doctor --json', 'doctor --plugin ./my-plugin.js'],
  run: async (call, host) => (await import('./doctor.run.js')).runDoctor(call, host),
};
