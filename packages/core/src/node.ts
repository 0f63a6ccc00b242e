/** What needs Node: files and folders. `@heddle/core` itself runs anywhere. */

export * from './io/index.node.js';
export * from './pipeline/node.js';
export { checkpointFolder, readCheckpoint, type FolderCheckpoints } from './train/checkpoint.node.js';
