/** What every package's tests have in common; each `vitest.config.ts` re-exports or extends it. */

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    passWithNoTests: true,
    // Tests that sample many cases take long where several packages are tested on two busy cores.
    testTimeout: 60_000, // ms
    // `npm test` adds these reports up.
    reporters: ['default', 'json'],
    outputFile: { json: 'reports/vitest.json' },
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reportsDirectory: 'reports/coverage' },
  },
});
