/** Long curves made short for the eye. */

export type Places = readonly (readonly [x: number, y: number])[];

/** At most `most` places: each the mean of neighbours, so that nothing is left out. */
export function thin(places: Places, most: number): Places {
  if (places.length <= most) return places;
  const thinned: [number, number][] = [];
  for (let part = 0; part < most; part++) {
    const from = Math.floor((part * places.length) / most);
    const to = Math.floor(((part + 1) * places.length) / most);
    let [x, y] = [0, 0];
    for (let i = from; i < to; i++) {
      x += places[i]![0];
      y += places[i]![1];
    }
    thinned.push([x / (to - from), y / (to - from)]);
  }
  return thinned;
}

/** Exponential moving average without a bias towards its start. @param memory how many places it looks back, about */
export function smooth(places: Places, memory: number): Places {
  const keep = 1 - 1 / Math.max(1, memory);
  let [sum, weight] = [0, 0];
  return places.map(([x, y]) => {
    sum = keep * sum + (1 - keep) * y;
    weight = keep * weight + (1 - keep);
    return [x, weight === 0 ? y : sum / weight] as const;
  });
}
