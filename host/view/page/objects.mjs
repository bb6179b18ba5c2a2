// Objects of a layer, and the canvas that draws them: what is out of sight is not touched, and what is small is drawn
// with few vertices.

const TOLERANCES = [0, 1, 2, 4, 8, 16, 32, 64, 128];  // px that vertices of a coarser outline are apart at least
const AT_ONCE = 24;  // objects of one path
const SIDE = 512;    // of a tile of outlines, screen pixels

/// All rings of all objects in flat arrays, at several tolerances.
class Outlines {
  constructor(tolerance) {
    this.tolerance = tolerance;
    this.points = [];
    this.rings = [];    // first number of each ring in points
    this.objects = [];  // first ring of each object
  }
  add(rings) {
    this.objects.push(this.rings.length);
    for (const ring of rings) {
      const least = this.tolerance * this.tolerance, start = this.points.length;
      let x = Infinity, y = Infinity;
      for (let i = 0; i < ring.length; i += 2) {
        const dx = ring[i] - x, dy = ring[i + 1] - y;
        if (dx * dx + dy * dy < least) continue;
        x = ring[i], y = ring[i + 1];
        this.points.push(x, y);
      }
      if (this.points.length - start < 6) this.points.length = start;  // smaller than the tolerance
      else this.rings.push(start);
    }
  }
  finish() {
    this.objects.push(this.rings.length);
    this.rings.push(this.points.length);
    this.points = Float32Array.from(this.points);
    this.rings = Uint32Array.from(this.rings);
    this.objects = Uint32Array.from(this.objects);
    return this;
  }
}

const unpacked = (packed, unit) => {
  const out = new Float32Array(packed.length);
  let x = 0, y = 0;
  for (let i = 0; i < packed.length; i += 2) {
    x += packed[i], y += packed[i + 1];
    out[i] = x * unit, out[i + 1] = y * unit;
  }
  return out;
};

/// Objects: {class, confidence, iou, pixels, parts}, where a part is [outline, hole, ...] of flat rings.
export class ObjectStore {
  constructor(objects, classes) {
    this.classes = classes;
    this.objects = objects;
    this.levels = TOLERANCES.map((tolerance) => new Outlines(tolerance));
    this.boxes = new Float32Array(4 * objects.length);
    objects.forEach((object, i) => {
      const rings = object.parts.flat(), box = [Infinity, Infinity, -Infinity, -Infinity];
      for (const part of object.parts)
        for (let k = 0; k < part[0].length; k += 2) {
          const x = part[0][k], y = part[0][k + 1];
          if (x < box[0]) box[0] = x;
          if (y < box[1]) box[1] = y;
          if (x > box[2]) box[2] = x;
          if (y > box[3]) box[3] = y;
        }
      this.boxes.set(box, 4 * i);
      object.x = (box[0] + box[2]) / 2;
      object.y = (box[1] + box[3]) / 2;
      for (const level of this.levels) level.add(rings);
    });
    for (const level of this.levels) level.finish();
    this.cells = new Map();
    this.side = 1024;
    objects.forEach((_, i) => this.forCells(i, (key) => {
      const cell = this.cells.get(key);
      if (cell) cell.push(i);
      else this.cells.set(key, [i]);
    }));
  }

  static fromAnswer(answer) {
    const objects = answer.objects.map(([c, confidence, iou, pixels, parts]) =>
      ({class: c, confidence, iou, pixels,
        parts: parts.map((part) => part.map((ring) => unpacked(ring, answer.unit)))}));
    const store = new ObjectStore(objects, answer.classes);
    store.notes = answer.notes;
    return store;
  }

  forCells(i, visit) {
    const at = (k) => Math.floor(this.boxes[4 * i + k] / this.side);
    for (let y = at(1); y <= at(3); ++y) for (let x = at(0); x <= at(2); ++x) visit(y * 65536 + x);
  }

  box(i) { return this.boxes.subarray(4 * i, 4 * i + 4); }

  /// The smallest object at a place that `wanted` lets through; -1: none.
  at(x, y, wanted = () => true) {
    const cell = this.cells.get(Math.floor(y / this.side) * 65536 + Math.floor(x / this.side)) ?? [];
    let best = -1;
    for (const i of cell) {
      const [left, top, right, bottom] = this.box(i);
      if (x < left || x > right || y < top || y > bottom || !wanted(this.objects[i])) continue;
      if (best >= 0 && this.objects[best].pixels <= this.objects[i].pixels) continue;
      if (this.inside(i, x, y)) best = i;
    }
    return best;
  }

  inside(i, x, y) {
    let odd = false;
    for (const ring of this.objects[i].parts.flat())
      for (let k = 0, j = ring.length - 2; k < ring.length; j = k, k += 2)
        if ((ring[k + 1] > y) !== (ring[j + 1] > y) &&
            x < (ring[j] - ring[k]) * (y - ring[k + 1]) / (ring[j + 1] - ring[k + 1]) + ring[k]) odd = !odd;
    return odd;
  }

  /// The side of a usual object's box, in pixels of the slide.
  get usual() {
    this.usualSide ??= this.objects.length === 0 ? 0 : this.objects.map((_, i) =>
      Math.max(this.boxes[4 * i + 2] - this.boxes[4 * i], this.boxes[4 * i + 3] - this.boxes[4 * i + 1]))
      .sort((a, b) => a - b)[this.objects.length >> 1];
    return this.usualSide;
  }

  /// What of a view can be seen, as paths of some objects each: one path of all takes a rasterizer far longer.
  * paths(view, wanted) {
    const {boxes} = this, {scale} = view, room = 4 / scale, level = this.levelFor(scale);
    let path = new Path2D(), count = 0;
    for (let i = 0; i < this.objects.length; ++i) {
      const b = 4 * i;
      if (boxes[b] > view.right + room || boxes[b + 2] < view.left - room || boxes[b + 1] > view.bottom + room ||
          boxes[b + 3] < view.top - room) continue;
      if (wanted && !wanted(this.objects[i])) continue;
      this.trace(path, i, view, level);
      if (++count % AT_ONCE) continue;
      yield path;
      path = new Path2D();
    }
    yield path;
  }

  path(i, view) {
    const path = new Path2D();
    this.trace(path, i, view, this.levelFor(view.scale));
    return path;
  }

  levelFor(scale) {
    const least = 1.2 / scale;
    return this.levels.findLast((level) => level.tolerance <= least);
  }

  trace(path, i, view, {points, rings, objects}) {
    const {boxes} = this, {scale, left, top} = view, b = 4 * i;
    if ((boxes[b + 2] - boxes[b]) * scale < 3 && (boxes[b + 3] - boxes[b + 1]) * scale < 3) {
      path.rect((boxes[b] - left) * scale - 0.5, (boxes[b + 1] - top) * scale - 0.5, 2, 2);
      return;
    }
    for (let r = objects[i]; r < objects[i + 1]; ++r) {
      const end = rings[r + 1];
      path.moveTo((points[rings[r]] - left) * scale, (points[rings[r] + 1] - top) * scale);
      for (let k = rings[r] + 2; k < end; k += 2)
        path.lineTo((points[k] - left) * scale, (points[k + 1] - top) * scale);
      path.closePath();
    }
  }
}

// Tiles of outlines that wait for their turn: some milliseconds of each frame are theirs, the rest is the user's.
const waiting = new Set();
const A_FRAME = 6;  // ms
let working = false;

function work() {
  const begun = performance.now();
  while (waiting.size && performance.now() - begun < A_FRAME) {
    const [tile] = waiting;
    if (tile.step()) waiting.delete(tile);
  }
  working = waiting.size > 0;
  if (working) requestAnimationFrame(work);
}

/// A tile is drawn beside the one that is seen, a few objects at a time, and shown when it is whole.
class OutlineTile {
  constructor(canvas, coords, paint, done) {
    const scale = 2 ** coords.z, side = SIDE / scale;
    Object.assign(this, {canvas, paint, done});
    this.ratio = Math.min(2, devicePixelRatio || 1);
    this.view = {scale, left: coords.x * side, top: coords.y * side,
      right: (coords.x + 1) * side, bottom: (coords.y + 1) * side};
    canvas.width = canvas.height = SIDE * this.ratio;
  }
  start() {
    this.steps = undefined;
    waiting.add(this);
    if (working) return;
    working = true;
    requestAnimationFrame(work);
  }
  step() {
    if (!this.steps) {
      this.draft = document.createElement('canvas');
      this.draft.width = this.draft.height = this.canvas.width;
      this.pen = this.draft.getContext('2d', {willReadFrequently: true});
      this.pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      this.steps = this.paint(this.pen, this.view);
    }
    if (!this.steps.next().done) {
      this.pen.getImageData(0, 0, 1, 1);  // what was drawn is carried out now, so that time is counted
      return false;
    }
    const shown = this.canvas.getContext('2d');
    shown.clearRect(0, 0, this.canvas.width, this.canvas.height);
    shown.drawImage(this.draft, 0, 0);
    this.draft = this.pen = this.steps = undefined;
    this.done?.(null, this.canvas);
    this.done = undefined;
    return true;
  }
}

/// Outlines as tiles that are drawn once for each zoom: moving about draws only what comes into sight.
/// `paint(pen, view)` draws, and yields now and then; the view has left, top, right, bottom in pixels of the slide, and
/// scale in screen pixels a slide pixel.
export const OutlineTiles = L.GridLayer.extend({
  initialize(paint) {
    this.paint = paint;
    L.setOptions(this, {tileSize: SIDE, noWrap: true, minZoom: -40, maxZoom: 10, keepBuffer: 1, updateWhenIdle: false,
      updateWhenZooming: false, pane: 'overlayPane', className: 'outline-tiles'});
    this.on('tileunload', (event) => waiting.delete(event.tile.drawn));
  },
  createTile(coords, done) {
    const canvas = document.createElement('canvas');
    canvas.drawn = new OutlineTile(canvas, coords, this.paint, done);
    canvas.drawn.start();
    return canvas;
  },
  refresh() { for (const {el} of Object.values(this._tiles)) el.drawn.start(); },
  busy() { return waiting.size > 0; },
});

/// A canvas over the map for what changes all the time, drawn once a frame at most: by `paint(pen, view)` too, where
/// `needed()` says that there is something.
export const Overlay = L.Layer.extend({
  initialize(paint, needed) { Object.assign(this, {paint, needed}); },
  onAdd(map) {
    this.canvas = document.createElement('canvas');
    this.canvas.className = 'outlines leaflet-zoom-animated';
    map.getPanes().overlayPane.append(this.canvas);
    map.on('viewreset move zoom resize moveend zoomend', this.schedule, this);
    map.on('zoomanim', this.follow, this);
    this.schedule();
  },
  onRemove(map) {
    map.off('viewreset move zoom resize moveend zoomend', this.schedule, this);
    map.off('zoomanim', this.follow, this);
    cancelAnimationFrame(this.frame);
    this.canvas.remove();
  },
  follow(event) {
    const scale = this._map.getZoomScale(event.zoom);
    const place = this._map._latLngToNewLayerPoint(this.corner ?? this._map.getBounds().getNorthWest(), event.zoom,
      event.center);
    L.DomUtil.setTransform(this.canvas, place, scale);
  },
  schedule() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this._map && !this._map._animatingZoom) this.draw();
    });
  },
  draw() {
    this.canvas.hidden = !this.needed();
    if (this.canvas.hidden) return;
    const map = this._map, size = map.getSize(), ratio = Math.min(2, devicePixelRatio || 1);
    if (this.canvas.width !== size.x * ratio || this.canvas.height !== size.y * ratio) {
      this.canvas.width = size.x * ratio;
      this.canvas.height = size.y * ratio;
      this.canvas.style.width = `${size.x}px`;
      this.canvas.style.height = `${size.y}px`;
    }
    L.DomUtil.setTransform(this.canvas, map.containerPointToLayerPoint([0, 0]), 1);
    this.corner = map.containerPointToLatLng([0, 0]);
    const scale = 2 ** map.getZoom(), pen = this.canvas.getContext('2d');
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, size.x, size.y);
    const left = this.corner.lng, top = this.corner.lat;
    this.paint(pen, {scale, left, top, right: left + size.x / scale, bottom: top + size.y / scale});
  },
});
