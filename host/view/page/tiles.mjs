// Tiles of a slide and of its probability maps as Leaflet layers.
import {mapUrl, tileUrl} from './api.mjs';

const SIDE = 256;

/// One unit is a pixel of level 0, y goes down, and at zoom 0 it is a pixel of the screen.
export const crs = L.extend({}, L.CRS.Simple, {transformation: new L.Transformation(1, 0, 1, 0)});

/// The part of a tile that has pixels, 0 to 1: the last of a row and of a column are smaller.
function share(slide, coords) {
  const pixels = SIDE * 2 ** -coords.z;
  const part = (length, n) => Math.ceil((Math.min(length, (n + 1) * pixels) - n * pixels) / 2 ** -coords.z) / SIDE;
  return [part(slide.width, coords.x), part(slide.height, coords.y)];
}

const Tiles = L.GridLayer.extend({
  initialize(slide, index, options) {
    this.slide = slide;
    this.index = index;
    L.setOptions(this, {
      tileSize: SIDE, noWrap: true, bounds: [[0, 0], [slide.height, slide.width]], minZoom: -slide.deepest - 2,
      maxZoom: 4,
      minNativeZoom: -slide.deepest, maxNativeZoom: 0, keepBuffer: 3, updateWhenIdle: false, updateWhenZooming: false,
      ...options});
    this.on('tileunload', (event) => event.tile.abandon?.());
  },
  there(coords) {
    const pixels = SIDE * 2 ** -coords.z;
    return coords.x >= 0 && coords.y >= 0 && coords.x * pixels < this.slide.width &&
      coords.y * pixels < this.slide.height;
  },
  box(coords, inside) {
    const box = document.createElement('div');
    box.className = 'tile';
    const [x, y] = share(this.slide, coords);
    inside.style.width = `${100 * x}%`;
    inside.style.height = `${100 * y}%`;
    box.append(inside);
    return box;
  },
});

export const SlideTiles = Tiles.extend({
  createTile(coords, done) {
    const image = new Image();
    const box = this.box(coords, image);
    if (!this.there(coords)) {
      setTimeout(done, 0, null, box);
      return box;
    }
    const address = tileUrl(this.index, -coords.z, coords.x, coords.y);
    image.alt = '';
    image.decoding = 'async';
    image.onload = () => done(null, box);
    image.onerror = () => box.given ? undefined : done(new Error(address), box);
    image.src = address;
    box.depth = -coords.z;
    box.again = (n) => { image.src = `${address}?${n}`; };
    box.abandon = () => {
      box.given = true;
      if (!image.complete) image.removeAttribute('src');  // closes the connection: the program stops its work
    };
    return box;
  },
  /// Of an overview that is being made: its tiles once more.
  refresh(depth) {
    this.tries = (this.tries ?? 0) + 1;
    for (const {el} of Object.values(this._tiles)) if (el.depth >= depth) el.again(this.tries);
  },
});

const decoder = document.createElement('canvas');
decoder.width = decoder.height = SIDE;
const pen = decoder.getContext('2d', {willReadFrequently: true});

async function greyOf(address, signal) {
  const response = await fetch(address, {signal});
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  const picture = await createImageBitmap(await response.blob(), {colorSpaceConversion: 'none'});
  const {width, height} = picture;
  pen.drawImage(picture, 0, 0);
  picture.close();
  const rgba = pen.getImageData(0, 0, width, height).data;
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; ++i) grey[i] = rgba[4 * i];
  return {grey, width, height};
}

/// Probabilities, coloured here by a table of 256 colours: another table redraws at once, without a request.
export const HeatTiles = Tiles.extend({
  initialize(slide, index, layer, map, colours, options) {
    Tiles.prototype.initialize.call(this, slide, index, options);
    Object.assign(this, {layer, map, colours});
  },
  createTile(coords, done) {
    const canvas = document.createElement('canvas');
    const box = this.box(coords, canvas);
    if (!this.there(coords)) {
      setTimeout(done, 0, null, box);
      return box;
    }
    const leaving = new AbortController();
    box.abandon = () => leaving.abort();
    greyOf(mapUrl(this.index, this.layer, this.map, -coords.z, coords.x, coords.y), leaving.signal).then((got) => {
      Object.assign(box, got);
      canvas.width = got.width;
      canvas.height = got.height;
      this.colour(box);
      done(null, box);
    }, (error) => { if (error.name !== 'AbortError') done(error, box); });
    return box;
  },
  colour(box) {
    const pixels = new ImageData(box.width, box.height);
    const words = new Uint32Array(pixels.data.buffer), colours = this.colours, grey = box.grey;
    for (let i = 0; i < grey.length; ++i) words[i] = colours[grey[i]];
    box.firstChild.getContext('2d').putImageData(pixels, 0, 0);
  },
  setColours(colours) {
    this.colours = colours;
    for (const {el} of Object.values(this._tiles)) if (el.grey) this.colour(el);
  },
});

// Anchors of viridis, the colour map of matplotlib (Smith and van der Walt 2015), which has an even lightness and is
// told apart by colour-blind people.
const viridis = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129],
  [92, 200, 99], [170, 220, 50], [253, 231, 37]];

/// The table of 256 colours (ABGR words): below the threshold nothing, and near 0 nearly nothing.
export function heatColours(threshold, opacity, flat) {
  const out = new Uint32Array(256);
  for (let v = 0; v < 256; ++v) {
    const p = v / 255;
    if (p < threshold || v === 0) continue;
    const at = flat ? 1 : p, place = at * (viridis.length - 1), low = Math.min(viridis.length - 2, Math.floor(place));
    const [r, g, b] = viridis[low].map((from, c) => Math.round(from + (viridis[low + 1][c] - from) * (place - low)));
    const alpha = opacity * (flat || threshold > 0 ? 1 : Math.min(1, p * 6));
    out[v] = (Math.round(255 * alpha) << 24 | b << 16 | g << 8 | r) >>> 0;
  }
  return out;
}
