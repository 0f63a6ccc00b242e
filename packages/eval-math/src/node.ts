/** What needs Node: threads and files. */

export { openPool, type GradePool, type PoolOptions } from './pool.node.js';
