/** A thread that merges: it gets units, reads, computes and writes by itself, and answers with hashes. */

import './run/thread.node.js';
