// The viewer: what is shown, and what follows when that changes.
import {Address} from './address.mjs';
import {get, tell, toast} from './api.mjs';
import {bindKeys} from './bindings.mjs';
import {bindControls} from './controls.mjs';
import {Drawing} from './drawing.mjs';
import {listLayers, noteLayer} from './layer_list.mjs';
import {readLink} from './link.mjs';
import {drawRamp, listMaps} from './map_list.mjs';
import {ObjectStore} from './objects.mjs';
import {areaText, couple, Pane} from './pane.mjs';
import {Pointing} from './pointing.mjs';
import {SlideList} from './slide_list.mjs';
import {stylesOf} from './style.mjs';
import {Table} from './table.mjs';
import {heatColours} from './tiles.mjs';

const byId = (id) => document.getElementById(id);

class App {
  constructor(session) {
    this.session = session;
    this.styles = stylesOf(session.layers);
    this.stores = [];  // a layer: ObjectStore, or undefined
    this.state = {slide: undefined, layers: [[], []], heat: [null, null], opacity: 60, threshold: 0, least: 0,
      flat: false, comparing: false, list: false};
    this.drawing = new Drawing(() => this.redraw(), () => this.repaint());
    this.drawing.setClasses(session.classes);
    this.pointing = new Pointing(this);
    this.address = new Address(this);
    this.panes = [0, 1].map((n) => new Pane(byId(`pane-${n}`), n, this));
    this.table = new Table({jump: (row) => this.jump(row), area: (pixels) => areaText(pixels, this.details?.mpp)});
    couple(this.panes.map((pane) => pane.map), () => this.state.comparing);
    this.panes[0].map.on('moveend', () => this.address.remember());
    for (const pane of this.panes) {
      this.drawing.listen(pane.map);
      pane.map.on('click', () => this.pointing.choose(pane));
    }
    this.list = new SlideList(session.slides, (i) => this.open(i), () => this.index);
    bindControls(this);
    bindKeys(this);
    for (const problem of session.problems) toast(problem, true);
  }

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
    this.pointing.clear();
    this.drawing.leave();
    this.details = undefined;
    this.list.mark();
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
    await Promise.all([this.drawing.load(details, signal), ...this.session.layers.map((_, layer) =>
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
    noteLayer(layer, '…');
    try {
      const store = ObjectStore.fromAnswer(await get(`objects/${this.index}/${layer}`, signal));
      if (signal.aborted) return;
      this.stores[layer] = store;
      noteLayer(layer, store.objects.length.toLocaleString('en'), store.notes.join('\n'));
    } catch (error) {
      if (error.name === 'AbortError') return;
      noteLayer(layer, 'failed', error.message, true);
      tell(error);
    }
    this.redraw();
    this.listObjects();
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

  /// Outlines, and what follows the pointer.
  redraw() {
    for (const pane of this.panes ?? []) if (!pane.element.hidden) pane.outlines.refresh();
    this.repaint();
  }

  repaint() { for (const pane of this.panes ?? []) if (!pane.element.hidden) pane.overlay.schedule(); }

  // ---- two sides, one view

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

  listLayers() {
    listLayers(this.session.layers, this.styles, {
      there: (i) => this.details?.layers[i].objects ?? false,
      checked: (i, side) => this.state.layers[side].includes(i),
      toggle: (i, side, on) => this.toggle(i, side, on)});
    this.stores.forEach((store, i) => store && noteLayer(i, store.objects.length.toLocaleString('en'),
      store.notes.join('\n')));
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
    listMaps(this.maps(), this.state.heat, (side, map) => {
      this.touched = true;
      this.state.heat[side] = map;
      if (map) this.lastHeat = map;
      this.update();
    });
  }

  switchCompare() {
    this.compare(!this.state.comparing);
    if (this.state.comparing && this.details && !this.touched) this.choose({});
    this.listLayers();
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

  listObjects() {
    const wanted = this.wanted() ?? (() => true);
    const sides = this.sides(), shown = new Set(sides.flatMap((side) => this.state.layers[side]));
    const rows = [];
    for (const i of [...shown].sort((a, b) => a - b)) {
      const store = this.stores[i];
      if (!store) continue;
      const layer = this.session.layers[i], style = this.styles[i];
      for (const object of store.objects)
        if (wanted(object)) rows.push({layer, style, store, object, name: layer.name,
          className: store.classes[object.class]});
    }
    this.table.setRows(rows);
  }

  jump(row) {
    const {object, store} = row, box = store.box(store.objects.indexOf(object)), {map} = this.panes[0];
    const size = map.getSize(), room = 0.4;
    const fit = Math.log2(Math.min(size.x * room / (box[2] - box[0] + 1), size.y * room / (box[3] - box[1] + 1)));
    map.setView([object.y, object.x], Math.min(1, Math.floor(fit)), {animate: false});
    this.pointing.mark(row);
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
    drawRamp(heatColours(state.threshold / 100, 1, state.flat));
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
    this.address.remember();
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
    this.listMaps();
    this.place(link.view);
    this.update();
  }

  switchHeat() {
    const {state} = this, maps = this.details ? this.maps() : [];
    this.touched = true;
    if (state.heat[0]) this.lastHeat = state.heat[0];
    state.heat[0] = state.heat[0] ? null : maps.find((map) => map.name === this.lastHeat?.name) ?? maps[0] ?? null;
    this.listMaps();
    this.update();
  }

}

try {
  const app = new App(await get('session'));
  globalThis.nephronView = app;  // for tests and the curious
  await app.follow(readLink(location.hash));
} catch (error) {
  tell(error);
}
