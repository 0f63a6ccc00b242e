/** The parts of pipelines that need Node. */

export { openFolderStore } from './artifacts.node.js';
