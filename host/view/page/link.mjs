// What is seen as a link: everything stands behind the #, so that no server is told of it.

const numbers = (text) => (text ?? '').split(',').filter((part) => /^\d+$/.test(part)).map(Number);
const within = (text, least, most, otherwise) => {
  const value = Number(text);
  return text !== null && text !== '' && Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise;
};

/// State from a link; fields that it does not have are undefined.
export function readLink(hash) {
  const told = new URLSearchParams(hash.replace(/^#/, ''));
  const heat = (key) => {
    const [layer, map] = numbers(told.get(key));
    return map === undefined ? undefined : {layer, map};
  };
  return {
    slide: told.get('slide') ?? undefined,
    view: ['x', 'y', 'z'].every((key) => told.has(key))
      ? {x: within(told.get('x'), -1e7, 1e7, 0), y: within(told.get('y'), -1e7, 1e7, 0),
          z: within(told.get('z'), -30, 4, 0)}
      : undefined,
    layers: ['l', 'r'].map((key) => told.has(key) ? numbers(told.get(key)) : undefined),
    heat: ['hl', 'hr'].map((key) => told.has(key) ? heat(key) ?? null : undefined),
    opacity: within(told.get('o'), 0, 100),
    threshold: within(told.get('t'), 0, 100),
    least: within(told.get('c'), 0, 100),
    flat: told.has('flat') ? told.get('flat') === '1' : undefined,
    comparing: told.has('side') ? told.get('side') === '1' : undefined,
    list: told.has('list') ? told.get('list') === '1' : undefined,
  };
}

export function writeLink(state) {
  const out = new URLSearchParams();
  out.set('slide', state.slide);
  for (const key of ['x', 'y', 'z']) out.set(key, +state.view[key].toFixed(1));
  out.set('l', state.layers[0].join(','));
  if (state.comparing) out.set('r', state.layers[1].join(','));
  const heat = (choice) => choice ? `${choice.layer},${choice.map}` : '';
  out.set('hl', heat(state.heat[0]));
  if (state.comparing) out.set('hr', heat(state.heat[1]));
  out.set('o', state.opacity);
  out.set('t', state.threshold);
  if (state.least > 0) out.set('c', state.least);
  if (state.flat) out.set('flat', '1');
  if (state.comparing) out.set('side', '1');
  if (state.list) out.set('list', '1');
  return `#${out}`;
}
