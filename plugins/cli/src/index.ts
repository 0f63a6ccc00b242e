/** The command as a plugin, and the folders of models that it writes. */

export { loadModel, saveModel, type TrainedModel } from './model-folder.js';
export { default } from './plugin.js';
