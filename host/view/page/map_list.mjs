// The choice of a probability map a side, and the bar of its colours.

const byId = (id) => document.getElementById(id);

/// `maps`: {layer, map, name}; `chosen`: one of them or null, a side; `choose(side, map)` is called with another.
export function listMaps(maps, chosen, choose) {
  byId('heat').hidden = !maps.length;
  for (const side of [0, 1]) {
    const select = byId(`heat-${side}`);
    const at = maps.findIndex(({layer, map}) => layer === chosen[side]?.layer && map === chosen[side]?.map);
    select.replaceChildren(new Option('no map', ''), ...maps.map((map, i) => new Option(map.name, i)));
    select.value = at < 0 ? '' : at;
    select.onchange = () => choose(side, maps[select.value] ?? null);
  }
}

export function drawRamp(colours) {
  const pixels = new ImageData(256, 1);
  new Uint32Array(pixels.data.buffer).set(colours);
  byId('ramp').getContext('2d').putImageData(pixels, 0, 0);
}
