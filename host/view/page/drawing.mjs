// Objects drawn by hand. Every change is saved; the program writes them as GeoJSON.
import {get, toast} from './api.mjs';
import {DrawingFile} from './drawing_file.mjs';
import {ObjectStore} from './objects.mjs';
import {mark, outline} from './style.mjs';

const SAVE_AFTER = 350;  // ms
const byId = (id) => document.getElementById(id);

const areaOf = (ring) => {
  let sum = 0;
  for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2)
    sum += ring[j] * ring[i + 1] - ring[i] * ring[j + 1];
  return Math.abs(sum / 2);
};

export class Drawing {
  /// `changed()` is called when objects are others, `moved()` when something follows the pointer.
  constructor(changed, moved) {
    Object.assign(this, {changed, moved, objects: [], undone: [], tool: undefined, ring: [],
      chosen: undefined});
    this.store = new ObjectStore([], []);
    byId('tool-polygon').onclick = () => this.take('polygon');
    byId('tool-free').onclick = () => this.take('free');
    byId('undo').onclick = () => this.undo();
    byId('delete').onclick = () => this.remove();
    byId('class').onchange = () => this.setClass(byId('class').value.trim());
    addEventListener('beforeunload', (event) => { if (this.file?.pending) event.preventDefault(); });
  }

  setClasses(names) {
    this.names = names;
    const list = byId('classes');
    list.replaceChildren(...names.map((name) => Object.assign(document.createElement('option'), {value: name})));
    byId('class').value = names[0] ?? 'object';
  }

  /// The slide that is drawn on; none while one is being loaded.
  get slide() { return this.file?.slide; }

  /// Nothing is drawn on until another slide is loaded. Ends when what was drawn is saved.
  leave() {
    clearTimeout(this.waiting);
    this.left = Promise.all([this.left, this.file?.flush()]).then(() => undefined);
    Object.assign(this, {file: undefined, objects: [], undone: [], ring: [], chosen: undefined, broken: undefined});
    this.say('');
    this.rebuild();
    return this.left;
  }

  async load(slide, signal) {
    await this.leave();
    if (signal.aborted) return;
    this.say('loading');
    try {
      const got = await get(`drawing/${slide.index}`, signal);
      if (signal.aborted) return;
      const file = new DrawingFile(slide, got.version, (text, bad) => { if (this.file === file) this.say(text, bad); });
      Object.assign(this, {file, objects: got.objects});
      this.say('');
    } catch (error) {
      if (error.name === 'AbortError') return;
      this.broken = error.message;
      this.say(error.message, true);
    }
    this.rebuild();
  }

  rebuild() {
    const classes = [...new Set(this.objects.map((object) => object.class))];
    this.store = new ObjectStore(this.objects.map((object) => Object.assign(object, {confidence: null, iou: null,
      pixels: Math.round(object.parts.reduce((sum, part) => sum + areaOf(part[0]), 0))})), classes);
    byId('drawn-count').textContent = this.objects.length ? String(this.objects.length) : '';
    byId('delete').disabled = !this.chosen;
    byId('undo').disabled = !this.undone.length;
    this.changed();
  }

  say(text, bad = false) {
    const line = byId('saved');
    line.textContent = text;
    line.className = bad ? 'bad' : 'soft';
  }

  /// Carries a change out, and saves it a moment later; false where nothing may be changed.
  change(make) {
    const {file} = this, why = this.broken ?? (file ? file.broken : 'The drawing is still being loaded.');
    if (why) {
      toast(why, true);
      return false;
    }
    this.undone.push(this.objects.slice());
    if (this.undone.length > 100) this.undone.shift();
    this.objects = make(this.objects.slice());
    if (!this.objects.includes(this.chosen)) this.chosen = undefined;
    this.rebuild();
    file.take(this.objects);
    this.say('not saved yet');
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => file.flush(), SAVE_AFTER);
    return true;
  }

  take(tool) {
    this.tool = this.tool === tool ? undefined : tool;
    this.ring = [];
    byId('tool-polygon').setAttribute('aria-pressed', this.tool === 'polygon');
    byId('tool-free').setAttribute('aria-pressed', this.tool === 'free');
    for (const pane of document.querySelectorAll('.pane')) pane.classList.toggle('drawing', Boolean(this.tool));
    if (this.tool) this.choose(undefined);
    this.moved();
  }

  get className() { return byId('class').value.trim() || 'object'; }

  choose(object) {
    this.chosen = object;
    if (object) byId('class').value = object.class;
    byId('delete').disabled = !object;
    this.moved();
  }

  setClass(name) {
    if (!name) return;
    if (this.chosen) {
      const old = this.chosen, renamed = {...old, class: name};
      if (!this.change((objects) => objects.map((object) => object === old ? renamed : object))) return;
      this.choose(renamed);
    }
    if (!this.names.includes(name)) {
      const value = name;
      this.names.push(name);
      byId('classes').append(Object.assign(document.createElement('option'), {value}));
    }
  }

  remove() {
    const gone = this.chosen;
    if (gone) this.change((objects) => objects.filter((object) => object !== gone));
  }

  undo() {
    if (this.ring.length) return this.dropLast();
    const before = this.undone.at(-1);
    if (!before || !this.change(() => before)) return;
    this.undone.splice(-2);  // the change, and the undoing of it
    byId('undo').disabled = !this.undone.length;
  }

  dropLast() {
    this.ring.splice(-2);
    this.moved();
  }

  cancel() {
    if (this.ring.length) this.ring = [];
    else if (this.tool) this.take(this.tool);
    else this.choose(undefined);
    this.moved();
  }

  /// Copies of objects of a layer.
  copy(objects, classOf) {
    const copies = objects.map((object) => ({class: classOf(object),
      parts: object.parts.map((part) => part.map((ring) => Array.from(ring)))}));
    if (copies.length) this.change((mine) => mine.concat(copies));
    return copies;
  }

  close() {
    const ring = this.ring;
    this.ring = [];
    if (ring.length >= 6 && areaOf(ring) > 0) {
      const object = {class: this.className, parts: [[ring]]};
      this.setClass(this.className);
      this.change((objects) => objects.concat(object));
    }
    this.moved();
  }

  add(x, y, least = 0) {
    if (!this.slide) return;
    x = Math.min(this.slide.width, Math.max(0, x)), y = Math.min(this.slide.height, Math.max(0, y));
    const [lastX, lastY] = this.ring.slice(-2);
    if (lastX !== undefined && Math.hypot(x - lastX, y - lastY) <= least) return;
    this.ring.push(Math.round(100 * x) / 100, Math.round(100 * y) / 100);
    this.moved();
  }

  /// Mouse on a map: what a tool makes of it.
  listen(map) {
    map.on('click', (event) => {
      const {lat, lng} = event.latlng;
      if (!this.slide) return;
      if (this.tool === 'polygon') this.add(lng, lat);
      else if (!this.tool) {
        const at = this.store.at(lng, lat);
        this.choose(at >= 0 ? this.store.objects[at] : undefined);
      }
    });
    map.on('dblclick', () => { if (this.tool === 'polygon') this.close(); });
    map.on('mousedown', (event) => {
      if (this.tool !== 'free' || event.originalEvent.button !== 0 || !this.slide) return;
      map.dragging.disable();
      this.dragged = map;
      this.ring = [];
      this.add(event.latlng.lng, event.latlng.lat);
    });
    map.on('mousemove', (event) => {
      this.pointer = event.latlng;
      if (this.dragged === map) this.add(event.latlng.lng, event.latlng.lat, 2 / 2 ** map.getZoom());
      else if (this.tool === 'polygon' && this.ring.length) this.moved();
    });
    addEventListener('mouseup', () => {
      if (this.dragged !== map) return;
      this.dragged = undefined;
      map.dragging.enable();
      this.close();
    });
  }

  /// The chosen object, and what is being drawn.
  paint(pen, view, style) {
    if (this.chosen) mark(pen, this.store, this.store.objects.indexOf(this.chosen), view, style, 0.35);
    if (!this.ring.length) return;
    const line = new Path2D(), at = (x, y) => [(x - view.left) * view.scale, (y - view.top) * view.scale];
    line.moveTo(...at(this.ring[0], this.ring[1]));
    for (let i = 2; i < this.ring.length; i += 2) line.lineTo(...at(this.ring[i], this.ring[i + 1]));
    if (this.tool === 'polygon' && this.pointer) line.lineTo(...at(this.pointer.lng, this.pointer.lat));
    outline(pen, line, {...style, dash: [5, 4]}, {width: 2.4});
    pen.fillStyle = style.colour;
    if (this.tool === 'polygon')
      for (let i = 0; i < this.ring.length; i += 2) {
        const [x, y] = at(this.ring[i], this.ring[i + 1]);
        pen.fillRect(x - 3, y - 3, 6, 6);
      }
  }
}
