/** File formats on this machine's disks. */

export { atomicFolder, atomicWriteFile, completeFolders, type FolderOptions } from './atomic.node.js';
export { fileSink, fileSource } from './bytes.node.js';
export { cleanPartials, isPartial } from './partial.node.js';
export { folderFiles, folderSinks, openShardedFile, openTensors } from './sharded.node.js';
