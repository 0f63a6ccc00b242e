/** The methods of this package; each is one file, and none has privileges. */

import type { MergeMethod } from '@heddle/core';
import { arceeFusion } from './arcee-fusion.js';
import { breadcrumbsTies } from './breadcrumbs-ties.js';
import { breadcrumbs } from './breadcrumbs.js';
import { dareLinear } from './dare-linear.js';
import { dareTies } from './dare-ties.js';
import { dellaLinear } from './della-linear.js';
import { della } from './della.js';
import { karcher } from './karcher.js';
import { linear } from './linear.js';
import { modelStock } from './model-stock.js';
import { multislerp } from './multislerp.js';
import { nearswap } from './nearswap.js';
import { nuslerp } from './nuslerp.js';
import { passthrough } from './passthrough.js';
import { ram, ramPlus } from './ram.js';
import { sce } from './sce.js';
import { slerp } from './slerp.js';
import { taskArithmetic } from './task-arithmetic.js';
import { ties } from './ties.js';

export const methods: readonly MergeMethod[] = [
  linear,
  slerp,
  nuslerp,
  multislerp,
  karcher,
  taskArithmetic,
  ties,
  dareLinear,
  dareTies,
  della,
  dellaLinear,
  breadcrumbs,
  breadcrumbsTies,
  modelStock,
  sce,
  nearswap,
  arceeFusion,
  ram,
  ramPlus,
  passthrough,
];
