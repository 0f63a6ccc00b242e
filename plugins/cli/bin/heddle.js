#!/usr/bin/env node
// Not compiled, so that installing a fresh clone can link the command before anything is built.
import '../dist/bin.js';
