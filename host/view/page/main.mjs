// The viewer: what is shown, and what follows when that changes.
import {get, tell, tileUrl, toast} from './api.mjs';
import {Drawing} from './drawing.mjs';
import {listen} from './keys.mjs';
import {readLink, writeLink} from './link.mjs';
import {ObjectStore} from './objects.mjs';
import {Pane} from './pane.mjs';
import {sample, stylesOf} from './style.mjs';
import {Table} from './table.mjs';
import {heatColours} from './tiles.mjs';

const byId = (id) => document.getElementById(id);
const SLIDE_PAN = 180;  // screen pixels of an arrow key

class App {
  constructor(session) {
    this.session = session;
    this.styles = stylesOf(session.layers);
    this.stores = [];  // a layer: ObjectStore, or undefined
    this.state = {slide: undefined, layers: [[], []], heat: [null, null], opacity: 60, threshold: 0, least: 0, flat: false,
      comparing: false, list: false};
    this.drawing = new Drawing(() => this.redraw());
    this.drawing.setClasses(session.classes);
    this.panes = [0, 1].map((n) => new Pane(byId(`pane-${n}`), n, this));
    this.table = new Table({jump: (row) => this.jump(row), area: (pixels) => this.areaText(pixels)});
    this.couple();
    for (const pane of this.panes) {
      this.drawing.listen(pane.map);
      pane.map.on('click', () => this.chooseUnderCursor(pane));
    }
    this.listSlides();
    this.controls();
    this.bindKeys();
    for (const problem of session.problems) toast(problem, true);
  }

  get slide() { return this.details; }

  // ---- the slide

  async open(index, link = {}) {
    this.loading?.abort();
    const {signal} = this.loading = new AbortController();
    this.index = index;
    const entry = this.session.slides[index];
    byId('title').textContent = entry.id;
    byId('title').title = entry.place;
    byId('facts').textContent = '';
    document.title = `${entry.id} – nephron view`;
    this.stores = [];
    this.marked = undefined;
    this.details = undefined;
    this.markCurrent();
    this.listObjects();
    let details;
    try {
      details = await get(`slides/${index}`, signal);
    } catch (error) {
      if (error.name === 'AbortError') return;
      for (const pane of this.panes) pane.fail(`${error.message} ${error.hint}`);
      this.listLayers();
      return;
    }
    details.index = index;
    this.details = details;
    this.state.slide = entry.id;
    const mm = details.mpp ? `, ${details.mpp.toPrecision(3)} µm/px` : ', pixel size unknown';
    byId('facts').textContent = `${details.width} × ${details.height} px${mm}`;
    byId('facts').title = details.format;
    for (const pane of this.panes) pane.show(details, index);
    this.choose(link);
    this.listLayers();
    this.listMaps();
    this.place(link.view);
    this.update();
    await Promise.all([this.drawing.load(details, entry.place, signal), ...this.session.layers.map((_, layer) =>
      this.loadObjects(layer, signal))]);
  }

  /// What is shown of a new slide: what the link says, else what was shown, else everything.
  choose(link) {
    const there = this.details.layers.flatMap((layer, i) => layer.objects ? [i] : []);
    const {state} = this;
    const compared = there.filter((i) => this.session.layers[i].kind !== 'truth');
    const truth = there.filter((i) => this.session.layers[i].kind === 'truth');
    const usual = [compared.length > 1 && state.comparing ? truth.concat(compared.slice(0, 1)) : there,
      truth.concat(compared.slice(-1))];
    for (const side of [0, 1]) {
      const wanted = link.layers?.[side] ?? (this.touched ? state.layers[side] : usual[side]);
      state.layers[side] = wanted.filter((i) => there.includes(i));
      const maps = this.maps(), heat = link.heat?.[side];
      const kept = heat === undefined ? (this.touched ? state.heat[side] : maps.at(side ? -1 : 0)) : heat;
      state.heat[side] = maps.find((map) => map.layer === kept?.layer && map.map === kept?.map) ??
        (kept ? maps[0] : null) ?? null;
    }
  }

  maps() {
    return this.details.layers.flatMap((layer, i) => layer.maps.map((name, map) =>
      ({layer: i, map, name: `${this.session.layers[i].name}${layer.maps.length > 1 ? `: ${name}` : ''}`})));
  }

  place(view) {
    for (const pane of this.panes) pane.map.invalidateSize({pan: false});
    const {map} = this.panes[0];
    if (view) map.setView([view.y, view.x], Math.round(view.z), {animate: false});
    else this.panes[0].fit();
  }

  async loadObjects(layer, signal) {
    if (!this.details.layers[layer].objects) return;
    this.note(layer, '…');
    try {
      const store = ObjectStore.fromAnswer(await get(`objects/${this.index}/${layer}`, signal));
      if (signal.aborted) return;
      this.stores[layer] = store;
      this.note(layer, store.objects.length.toLocaleString('en'), store.notes.join('\n'));
    } catch (error) {
      if (error.name === 'AbortError') return;
      this.note(layer, 'failed', error.message, true);
      tell(error);
    }
    this.redraw();
    this.listObjects();
  }

  note(layer, text, title = '', bad = false) {
    const box = document.querySelector(`#layers [data-layer="${layer}"] .count`);
    if (!box) return;
    box.textContent = text;
    box.title = title;
    box.className = `count ${bad ? 'bad' : 'soft'}`;
  }

  // ---- what panes ask for

  shown(side) {
    return this.state.layers[side].filter((i) => this.stores[i]).map((i) => ({layer: i, store: this.stores[i],
      style: this.styles[i]}));
  }

  /// Objects that are shown; what has no confidence always is.
  wanted() {
    const least = this.state.least / 100;
    return least > 0 ? (object) => object.confidence == null || object.confidence >= least : undefined;
  }

  sides() { return this.state.comparing ? [0, 1] : [0]; }

  hover(pane, event) {
    if (this.drawing.tool || this.drawing.ring.length) return this.leave();
    const found = this.under(pane, event.latlng);
    const tip = byId('tip');
    if (!found) return this.leave(true);
    this.hovered = found;
    if (this.marked?.object !== found.object) {
      this.marked = found;
      this.redraw();
    }
    const {object} = found, lines = [[found.name, found.className]];
    if (object.confidence != null) lines.push(['confidence', object.confidence.toFixed(3)]);
    if (object.iou != null) lines.push(['IoU', object.iou.toFixed(3)]);
    lines.push(['area', this.areaText(object.pixels)]);
    const list = document.createElement('dl');
    for (const [name, value] of lines) {
      const dt = document.createElement('dt'), dd = document.createElement('dd');
      dt.textContent = name;
      dd.textContent = value;
      list.append(dt, dd);
    }
    tip.replaceChildren(list);
    tip.hidden = false;
    const {clientX: x, clientY: y} = event.originalEvent;
    tip.style.left = `${Math.min(x + 16, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${y + 20 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 12 : y + 16}px`;
  }

  leave(keep = false) {
    byId('tip').hidden = true;
    this.hovered = undefined;
    if (this.marked && this.marked.object !== this.table.chosen) {
      this.marked = this.rowOf(this.table.chosen);
      this.redraw();
    }
    return keep;
  }

  under(pane, {lng, lat}) {
    let best;
    const layers = this.shown(pane.number);
    for (let k = layers.length - 1; k >= 0; --k) {
      const {store, style, layer} = layers[k], i = store.at(lng, lat, this.wanted());
      if (i < 0 || (best && best.object.pixels <= store.objects[i].pixels)) continue;
      const object = store.objects[i];
      best = {store, style, object, layer, name: this.session.layers[layer].name, className: store.classes[object.class]};
    }
    return best;
  }

  rowOf(object) { return object && this.table.rows.find((row) => row.object === object); }

  chooseUnderCursor(pane) {
    if (this.drawing.tool || !pane.cursor) return;
    const found = this.under(pane, pane.cursor);
    this.table.choose(found?.object);
    this.marked = found;
    this.redraw();
  }

  areaText(pixels) {
    const mpp = this.details?.mpp;
    if (!mpp) return `${pixels.toLocaleString('en')} px`;
    const um = pixels * mpp * mpp;
    return um >= 1e5 ? `${(um / 1e6).toPrecision(3)} mm²` : `${Math.round(um).toLocaleString('en')} µm²`;
  }

  redraw() { for (const pane of this.panes) if (!pane.element.hidden) pane.overlay.schedule(); }

  // ---- two sides, one view

  couple() {
    const [a, b] = this.panes.map((pane) => pane.map);
    for (const [from, to] of [[a, b], [b, a]]) {
      from.on('move zoomend', () => {
        if (this.coupling || !this.state.comparing) return;
        this.coupling = true;
        to.setView(from.getCenter(), from.getZoom(), {animate: false});
        this.coupling = false;
      });
    }
    a.on('moveend', () => this.remember());
  }

  compare(on) {
    this.state.comparing = on;
    document.body.classList.toggle('comparing', on);
    byId('pane-1').hidden = !on;
    byId('compare').setAttribute('aria-pressed', on);
    const centre = this.panes[0].map.getCenter(), zoom = this.panes[0].map.getZoom();
    for (const pane of this.panes) {
      pane.map.invalidateSize({pan: false});
      if (!pane.element.hidden) pane.map.setView(centre, zoom, {animate: false});
    }
  }

  // ---- lists and controls

  listSlides() {
    const {slides} = this.session;
    byId('slide-count').textContent = slides.length;
    byId('slide-filter').hidden = slides.length < 8;
    byId('slides').replaceChildren(...slides.map((slide, i) => {
      const row = document.createElement('li'), button = document.createElement('button');
      const name = document.createElement('span'), image = new Image();
      image.alt = '';
      image.loading = 'lazy';
      image.onerror = () => image.removeAttribute('src');
      if (slide.picture) this.thumbnail(image, i);
      name.textContent = slide.id;
      button.title = slide.place;
      button.append(image, name);
      button.onclick = () => this.open(i);
      row.append(button);
      return row;
    }));
    byId('slide-filter').oninput = (event) => {
      const text = event.target.value.toLowerCase();
      [...byId('slides').children].forEach((row, i) => { row.hidden = !slides[i].id.toLowerCase().includes(text); });
    };
  }

  /// Thumbnails are made when they come into sight, one after the other: a slide has to be opened for each.
  thumbnail(image, index) {
    this.sight ??= new IntersectionObserver((entries) => {
      for (const {target, isIntersecting} of entries) {
        if (!isIntersecting) continue;
        this.sight.unobserve(target);
        this.thumbnails = (this.thumbnails ?? Promise.resolve()).then(() => this.fill(target)).catch(() => {});
      }
    });
    image.dataset.index = index;
    this.sight.observe(image);
  }

  async fill(image) {
    const {index} = image.dataset, details = await get(`slides/${index}`);
    if (details.overview < 1 && Number(index) !== this.index) return;  // no reading of whole slides for a thumbnail
    image.src = tileUrl(index, details.deepest, 0, 0);
    await image.decode().catch(() => {});
  }

  markCurrent() {
    [...byId('slides').children].forEach((row, i) => {
      row.firstChild.setAttribute('aria-current', i === this.index);
      if (i === this.index) row.scrollIntoView({block: 'nearest'});
    });
  }

  listLayers() {
    byId('layers').replaceChildren(...this.session.layers.map((layer, i) => {
      const row = document.createElement('li'), label = document.createElement('label'), boxes = document.createElement('span');
      const there = this.details?.layers[i].objects ?? false;
      row.dataset.layer = i;
      boxes.className = 'side-boxes';
      for (const side of [0, 1]) {
        const box = Object.assign(document.createElement('input'), {type: 'checkbox', disabled: !there,
          checked: this.state.layers[side].includes(i), className: side ? 'right' : 'left'});
        box.setAttribute('aria-label', `${layer.name}${side ? ', right side' : ''}`);
        box.onchange = () => this.toggle(i, side, box.checked);
        boxes.append(box);
      }
      const name = Object.assign(document.createElement('span'), {className: 'name', textContent: layer.name, title: layer.kind});
      const count = Object.assign(document.createElement('span'), {className: 'count soft', textContent: there ? '' : 'none'});
      label.append(sample(this.styles[i]), name, count);
      label.onclick = (event) => {
        if (event.target.tagName === 'INPUT' || !there) return;
        event.preventDefault();
        this.toggle(i, 0, !this.state.layers[0].includes(i));
      };
      row.append(label, boxes);
      return row;
    }));
    for (const box of document.querySelectorAll('.only-objects')) box.hidden = !this.session.layers.length;
  }

  toggle(layer, side, on) {
    this.touched = true;
    const rest = this.state.layers[side].filter((i) => i !== layer);
    this.state.layers[side] = on ? [...rest, layer].sort((a, b) => a - b) : rest;
    const box = document.querySelector(`#layers [data-layer="${layer}"] .${side ? 'right' : 'left'}`);
    if (box) box.checked = on;
    this.update();
  }

  listMaps() {
    const maps = this.maps();
    byId('heat').hidden = !maps.length;
    for (const side of [0, 1]) {
      const select = byId(`heat-${side}`);
      select.replaceChildren(new Option('no map', ''), ...maps.map((map, i) => new Option(map.name, i)));
      select.value = maps.indexOf(maps.find((map) => map.layer === this.state.heat[side]?.layer &&
        map.map === this.state.heat[side]?.map));
      if (select.selectedIndex < 0) select.value = '';
      select.onchange = () => {
        this.touched = true;
        this.state.heat[side] = maps[select.value] ?? null;
        if (maps[select.value]) this.lastHeat = maps[select.value];
        this.update();
      };
    }
  }

  controls() {
    for (const key of ['opacity', 'threshold', 'least'])
      byId(key).oninput = (event) => {
        this.state[key] = Number(event.target.value);
        this.update();
      };
    byId('flat').onchange = (event) => {
      this.state.flat = event.target.checked;
      this.update();
    };
    byId('fit').onclick = () => this.panes[0].fit();
    byId('one').onclick = () => this.panes[0].map.setZoom(0);
    byId('compare').onclick = () => this.switchCompare();
    byId('list').onclick = () => this.switchList();
    byId('link').onclick = () => this.copyLink();
    byId('theme').onclick = () => this.theme();
    byId('toggle-side').onclick = () => this.switchSide();
    byId('copy-all').onclick = () => this.copyAll();
    addEventListener('hashchange', () => this.follow(readLink(location.hash)));
  }

  switchCompare() {
    this.compare(!this.state.comparing);
    if (this.state.comparing && this.details && !this.touched) this.choose({});
    this.listLayers();
    this.stores.forEach((store, i) => store && this.note(i, store.objects.length.toLocaleString('en')));
    this.listMaps();
    this.update();
  }

  switchList() {
    this.state.list = !this.state.list;
    this.update();
    this.panes.forEach((pane) => pane.map.invalidateSize({pan: false}));
  }

  switchSide() {
    document.body.classList.toggle('no-side');
    this.panes.forEach((pane) => pane.map.invalidateSize({pan: false}));
  }

  theme() {
    const dark = getComputedStyle(document.documentElement).getPropertyValue('--panel').trim() === '#1e1b24';
    document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  }

  copyAll() {
    const {layers} = this.state;
    if (!layers[0].length) return toast('No outlines are shown that could be copied.');
    const layer = layers[0].at(-1), store = this.stores[layer];
    if (!store) return;
    const wanted = this.wanted() ?? (() => true);
    const copies = this.drawing.copy(store.objects.filter(wanted), (object) => store.classes[object.class]);
    toast(`${copies.length} outlines of ${this.session.layers[layer].name} copied into the drawing.`);
  }

  listObjects() {
    const wanted = this.wanted() ?? (() => true);
    const sides = this.sides(), shown = new Set(sides.flatMap((side) => this.state.layers[side]));
    const rows = [];
    for (const i of [...shown].sort((a, b) => a - b)) {
      const store = this.stores[i];
      if (!store) continue;
      const layer = this.session.layers[i], style = this.styles[i];
      for (const object of store.objects)
        if (wanted(object)) rows.push({layer, style, store, object, name: layer.name, className: store.classes[object.class]});
    }
    this.table.setRows(rows);
  }

  jump(row) {
    const {object, store} = row, box = store.box(store.objects.indexOf(object)), {map} = this.panes[0];
    const size = map.getSize(), room = 0.4;
    const fit = Math.log2(Math.min(size.x * room / (box[2] - box[0] + 1), size.y * room / (box[3] - box[1] + 1)));
    map.setView([object.y, object.x], Math.min(1, Math.floor(fit)), {animate: false});
    this.marked = row;
    this.redraw();
  }

  /// Everything that follows from the state but the view.
  update() {
    const {state} = this;
    for (const key of ['opacity', 'threshold', 'least']) byId(key).value = state[key];
    byId('opacity-value').value = `${state.opacity} %`;
    byId('threshold-value').value = (state.threshold / 100).toFixed(2);
    byId('least-value').value = (state.least / 100).toFixed(2);
    byId('flat').checked = state.flat;
    const colours = heatColours(state.threshold / 100, state.opacity / 100, state.flat);
    this.drawRamp();
    for (const pane of this.panes) {
      pane.setHeat(state.comparing || pane.number === 0 ? state.heat[pane.number] : null, colours);
      const names = state.layers[pane.number].map((i) => this.session.layers[i].name).join(', ');
      pane.name.textContent = names || 'no outlines';
      pane.name.hidden = !state.comparing;
    }
    byId('table').hidden = !state.list;
    byId('list').setAttribute('aria-pressed', state.list);
    this.listObjects();
    this.redraw();
    this.remember();
  }

  drawRamp() {
    const colours = heatColours(this.state.threshold / 100, 1, this.state.flat), pen = byId('ramp').getContext('2d');
    const pixels = new ImageData(256, 1);
    new Uint32Array(pixels.data.buffer).set(colours);
    pen.putImageData(pixels, 0, 0);
  }

  // ---- links

  remember() {
    if (!this.details) return;
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => history.replaceState(null, '', this.address()), 150);
  }

  address() {
    const {map} = this.panes[0], centre = map.getCenter();
    return writeLink({...this.state, view: {x: centre.lng, y: centre.lat, z: map.getZoom()}});
  }

  async copyLink() {
    history.replaceState(null, '', this.address());
    try {
      await navigator.clipboard.writeText(location.href);
      toast('The link to this view is copied. Its token opens the viewer to whoever can reach this port.');
    } catch {
      toast('The address bar has the link to this view.');
    }
  }

  async follow(link) {
    const {state} = this;
    for (const key of ['opacity', 'threshold', 'least', 'flat', 'list']) state[key] = link[key] ?? state[key];
    if (link.comparing !== undefined || state.comparing) this.compare(link.comparing ?? false);
    if (link.layers?.[0]) this.touched = true;
    const found = this.session.slides.findIndex((slide) => slide.id === link.slide);
    const first = this.session.slides.findIndex((slide) => slide.picture);
    const index = found >= 0 ? found : this.index ?? Math.max(0, first);
    byId('table').hidden = !state.list;
    if (index !== this.index || !this.details) return this.open(index, link);
    this.choose(link);
    this.listLayers();
    this.stores.forEach((store, i) => store && this.note(i, store.objects.length.toLocaleString('en')));
    this.listMaps();
    this.place(link.view);
    this.update();
  }

  // ---- keys

  bindKeys() {
    const map = this.panes[0].map, {state} = this;
    const pan = (x, y) => map.panBy([x, y], {animate: true, duration: 0.15});
    const slideBy = (by) => {
      const n = this.session.slides.length, next = this.index + by;
      if (next >= 0 && next < n) this.open(next);
    };
    const nudge = (key, by) => {
      state[key] = Math.min(100, Math.max(0, state[key] + by));
      this.update();
    };
    const key = (shown, keys, text, act) => ({shown, keys, text, act});
    listen([
      key('← ↑ → ↓', ['ArrowLeft', 'ArrowUp', 'ArrowRight', 'ArrowDown'], 'move', (event) => ({
        ArrowLeft: () => pan(-SLIDE_PAN, 0), ArrowRight: () => pan(SLIDE_PAN, 0), ArrowUp: () => pan(0, -SLIDE_PAN),
        ArrowDown: () => pan(0, SLIDE_PAN)})[event.key]()),
      key('+ −', ['+', '=', '-'], 'zoom', (event) => map.setZoom(map.getZoom() + (event.key === '-' ? -1 : 1))),
      key('F', ['f', '0'], 'the whole slide', () => this.panes[0].fit()),
      key('Z', ['z', '1:1'], 'a pixel of the slide is one of the screen', () => map.setZoom(0)),
      key('[ ]', ['[', ']'], 'the slide before or after', (event) => slideBy(event.key === '[' ? -1 : 1)),
      key('1 … 5', ['1', '2', '3', '4', '5'], 'outlines on or off', (event) => {
        const layer = Number(event.key) - 1;
        if (this.details?.layers[layer]?.objects) this.toggle(layer, 0, !state.layers[0].includes(layer));
      }),
      key('H', ['h'], 'probability on or off', () => this.switchHeat()),
      key('< >', [',', '.', '<', '>'], 'threshold', (event) => nudge('threshold', ',<'.includes(event.key) ? -5 : 5)),
      key('O  P', ['o', 'p'], 'opacity', (event) => nudge('opacity', event.key.toLowerCase() === 'o' ? -10 : 10)),
      key('C', ['c'], 'two sides with one view', () => this.switchCompare()),
      key('L', ['l'], 'list of objects', () => this.switchList()),
      key('N  B', ['n', 'b'], 'next object of the list, and back', (event) => this.table.step(event.key.toLowerCase() === 'n' ? 1 : -1)),
      key('D', ['d'], 'draw a polygon: click its corners, Enter or a double click closes it', () => this.drawing.take('polygon')),
      key('G', ['g'], 'draw freehand: drag around the object', () => this.drawing.take('free')),
      key('A', ['a'], 'copy the outline under the pointer into the drawing', () => this.copyHovered()),
      key('E', ['e'], 'class of the chosen drawn object, or of the next', () => byId('class').select()),
      key('Delete', ['Delete', 'Backspace'], 'remove the chosen drawn object, or the last corner', () => {
        if (this.drawing.ring.length) this.drawing.dropLast();
        else this.drawing.remove();
      }),
      key('Ctrl+Z', ['Ctrl+z'], 'undo', () => this.drawing.undo()),
      key('Enter', ['Enter'], 'close the polygon', () => this.drawing.close()),
      key('Esc', ['Escape'], 'leave off drawing', () => this.drawing.cancel()),
      key('K', ['k'], 'copy a link to this view', () => this.copyLink()),
      key('S', ['s'], 'slides and layers on or off', () => this.switchSide()),
      key('?', [], 'these keys', () => {}),
    ]);
  }

  switchHeat() {
    const {state} = this, maps = this.details ? this.maps() : [];
    this.touched = true;
    if (state.heat[0]) this.lastHeat = state.heat[0];
    state.heat[0] = state.heat[0] ? null : maps.find((map) => map.name === this.lastHeat?.name) ?? maps[0] ?? null;
    this.listMaps();
    this.update();
  }

  copyHovered() {
    const {hovered} = this;
    if (!hovered) return toast('Point at an outline first.');
    const [copy] = this.drawing.copy([hovered.object], () => hovered.className);
    this.drawing.choose(this.drawing.objects.find((object) => object === copy));
  }
}

try {
  const app = new App(await get('session'));
  globalThis.nephronView = app;  // for tests and the curious
  await app.follow(readLink(location.hash));
} catch (error) {
  tell(error);
}
