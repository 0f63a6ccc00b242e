/** What the ways to trim a task vector ask of each model. */

import { flag, perModel } from './define.js';

export const density = perModel('share of the elements that stay; from 1 on all do', { default: 1, least: 0 });
export const gamma = perModel('share of the elements dropped for being the largest', {
  default: 0.01,
  least: 0,
  most: 1,
});
export const epsilon = perModel('how far the probability of an element may lie from the density', {
  default: 0.15,
  least: 0,
  most: 1,
});

/** mergekit drops everything where `gamma` of the elements is less than one element. */
export const compat = flag('drop everything where gamma is less than one element, as mergekit does', false);
