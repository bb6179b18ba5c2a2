// One map: a slide, its probability map, outlines, drawing, scale bar.
import {get, tell} from './api.mjs';
import {OutlineTiles, Overlay} from './objects.mjs';
import {DRAWN, mark, outlineStore} from './style.mjs';
import {crs, HeatTiles, SlideTiles} from './tiles.mjs';

const niceBelow = (length) => {
  const ten = 10 ** Math.floor(Math.log10(length));
  return [5, 2, 1].map((n) => n * ten).find((n) => n <= length) ?? ten;
};

export const lengthText = (um) => um >= 1000 ? `${+(um / 1000).toPrecision(3)} mm` : `${+um.toPrecision(3)} µm`;

export function areaText(pixels, mpp) {
  if (!mpp) return `${pixels.toLocaleString('en')} px`;
  const um = pixels * mpp * mpp;
  return um >= 1e5 ? `${(um / 1e6).toPrecision(3)} mm²` : `${Math.round(um).toLocaleString('en')} µm²`;
}

function badge(pane, name) {
  const box = document.createElement('div');
  box.className = `badge ${name}`;
  pane.append(box);
  return box;
}

export class Pane {
  /// `app`: what is shown is asked of it: stores, styles, choices.
  constructor(element, number, app) {
    Object.assign(this, {element, number, app});
    this.map = L.map(element, {crs, zoomControl: false, attributionControl: false, fadeAnimation: false,
      keyboard: false,
      zoomSnap: 1, zoomDelta: 1, wheelPxPerZoomLevel: 110, wheelDebounceTime: 30, doubleClickZoom: false,
      bounceAtZoomLimits: false, maxBoundsViscosity: 0.6, boxZoom: false});
    this.map.setView([0, 0], 0, {animate: false});
    this.name = badge(element, 'pane-name');
    this.making = badge(element, 'making');
    this.problem = badge(element, 'pane-problem');
    this.where = badge(element, 'where');
    this.bar = badge(element, 'scale-bar');
    this.bar.append(document.createElement('span'), document.createElement('i'));
    for (const box of [this.name, this.making, this.problem, this.where, this.bar]) box.hidden = true;
    this.outlines = new OutlineTiles((pen, view) => this.outline(pen, view)).addTo(this.map);
    this.overlay = new Overlay((pen, view) => this.paint(pen, view),
      () => Boolean(app.pointing.marked || app.drawing.chosen || app.drawing.ring.length)).addTo(this.map);
    this.map.on('zoomend moveend', () => this.drawBar());
    this.map.on('mousemove', (event) => {
      this.cursor = event.latlng;
      this.tellPlace();
      app.pointing.hover(this, event);
    });
    this.map.on('mouseout', () => app.pointing.leave());
  }

  show(slide, index) {
    this.slide = slide;
    this.index = index;
    this.tiles?.remove();
    this.heat?.remove();
    this.heat = this.heatKey = undefined;
    clearTimeout(this.polling);
    this.problem.hidden = this.making.hidden = true;
    this.map.setMinZoom(-slide.deepest - 2).setMaxZoom(4);
    const room = Math.max(slide.width, slide.height) / 2;
    this.map.setMaxBounds([[-room, -room], [slide.height + room, slide.width + room]]);
    this.tiles = new SlideTiles(slide, index).addTo(this.map);
    this.bar.hidden = this.where.hidden = false;
    if (slide.overview < 1) this.poll();
    this.drawBar();
  }

  fail(text) {
    clearTimeout(this.polling);
    this.tiles?.remove();
    this.heat?.remove();
    this.tiles = this.heat = this.slide = this.heatKey = undefined;
    this.problem.textContent = text;
    this.problem.hidden = false;
    this.bar.hidden = this.where.hidden = this.making.hidden = true;
  }

  /// Coarse tiles come out of an overview, which is made while one looks.
  poll() {
    const slide = this.slide;
    this.making.hidden = false;
    this.making.textContent = `preparing the overview: ${Math.floor(100 * slide.overview)} %`;
    this.polling = setTimeout(async () => {
      try {
        const now = await get(`slides/${this.index}`);
        if (this.slide !== slide) return;
        slide.overview = now.overview;
        this.tiles.refresh(slide.overview_depth);
        if (slide.overview < 1) this.poll();
        else this.making.hidden = true;
      } catch (error) {
        this.making.hidden = true;
        tell(error);
      }
    }, 700);
  }

  setHeat(choice, colours) {
    const key = choice && this.slide ? `${this.index}/${choice.layer}/${choice.map}` : undefined;
    if (key !== this.heatKey) {
      this.heat?.remove();
      this.heat = key && new HeatTiles(this.slide, this.index, choice.layer, choice.map, colours).addTo(this.map);
      this.heatKey = key;
    } else {
      this.heat?.setColours(colours);
    }
  }

  fit() {
    if (!this.slide) return;
    this.map.fitBounds([[0, 0], [this.slide.height, this.slide.width]], {animate: false, padding: [8, 8]});
  }

  drawBar() {
    if (!this.slide) return;
    const {mpp} = this.slide, unit = (mpp ?? 1) * 2 ** -this.map.getZoom();
    const length = niceBelow(130 * unit);
    this.bar.firstChild.textContent = mpp ? lengthText(length) : `${length} px`;
    this.bar.lastChild.style.width = `${length / unit}px`;
    this.tellPlace();
  }

  tellPlace() {
    if (!this.slide) return;
    const zoom = this.map.getZoom(), power = 2 ** Math.abs(zoom);
    const place = this.cursor ? `${Math.floor(this.cursor.lng)}, ${Math.floor(this.cursor.lat)} px · ` : '';
    this.where.textContent = place + (zoom >= 0 ? `${power}:1` : `1:${power}`);
  }

  * outline(pen, view) {
    if (!this.slide) return;
    const {app} = this;
    for (const {store, style} of app.shown(this.number)) yield* outlineStore(pen, store, view, style, app.wanted());
    yield* outlineStore(pen, app.drawing.store, view, DRAWN);
  }

  /// What follows the pointer.
  paint(pen, view) {
    if (!this.slide) return;
    const {drawing, pointing: {marked}} = this.app;
    if (marked) mark(pen, marked.store, marked.store.objects.indexOf(marked.object), view, marked.style, 0.25);
    drawing.paint(pen, view, DRAWN);
  }
}

/// Two maps with one view, while `active()`.
export function couple([a, b], active) {
  let coupling = false;
  for (const [from, to] of [[a, b], [b, a]])
    from.on('move zoomend', () => {
      if (coupling || !active()) return;
      coupling = true;
      to.setView(from.getCenter(), from.getZoom(), {animate: false});
      coupling = false;
    });
}
