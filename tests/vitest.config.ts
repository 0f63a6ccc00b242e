import { mergeConfig } from 'vitest/config';
import shared from '../vitest.shared.js';

// A software adapter compiles each pipeline for seconds where the cores are busy.
export default mergeConfig(shared, { test: { testTimeout: 300_000, hookTimeout: 120_000 } });
