#!/usr/bin/env node
/** The program behind the name `heddle`. */

import { main } from './main.js';

process.exitCode = await main(process.argv.slice(2));
