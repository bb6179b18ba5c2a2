// What lies under the pointer: its facts, its mark, and what a click or a key does with it.
import {toast} from './api.mjs';
import {areaText} from './pane.mjs';
import {hideTip, showTip} from './tip.mjs';

export class Pointing {
  constructor(app) { this.app = app; }

  /// Of another slide nothing is marked yet.
  clear() { this.marked = this.hovered = undefined; }

  /// An object that is drawn filled, until the pointer says otherwise.
  mark(found) {
    this.marked = found;
    this.app.repaint();
  }

  hover(pane, event) {
    const {drawing} = this.app;
    if (drawing.tool || drawing.ring.length) return this.leave();
    const found = this.under(pane, event.latlng);
    if (!found) return this.leave();
    this.hovered = found;
    if (this.marked?.object !== found.object) this.mark(found);
    const {confidence, iou, pixels} = found.object, lines = [[found.name, found.className]];
    if (confidence != null) lines.push(['confidence', confidence.toFixed(3)]);
    if (iou != null) lines.push(['IoU', iou.toFixed(3)]);
    showTip([...lines, ['area', areaText(pixels, this.app.details?.mpp)]], event.originalEvent);
  }

  leave() {
    hideTip();
    this.hovered = undefined;
    const {table} = this.app;
    if (this.marked && this.marked.object !== table.chosen) this.mark(this.rowOf(table.chosen));
  }

  under(pane, {lng, lat}) {
    let best;
    const layers = this.app.shown(pane.number), wanted = this.app.wanted();
    for (let k = layers.length - 1; k >= 0; --k) {
      const {store, style, layer} = layers[k], i = store.at(lng, lat, wanted);
      if (i < 0 || (best && best.object.pixels <= store.objects[i].pixels)) continue;
      const object = store.objects[i];
      best = {store, style, object, layer, name: this.app.session.layers[layer].name,
        className: store.classes[object.class]};
    }
    return best;
  }

  rowOf(object) { return object && this.app.table.rows.find((row) => row.object === object); }

  choose(pane) {
    if (this.app.drawing.tool || !pane.cursor) return;
    const found = this.under(pane, pane.cursor);
    this.app.table.choose(found?.object);
    this.mark(found);
  }

  /// Into the drawing, as something to correct.
  copy() {
    const {hovered} = this, {drawing} = this.app;
    if (!hovered) return toast('Point at an outline first.');
    const [copy] = drawing.copy([hovered.object], () => hovered.className);
    drawing.choose(drawing.objects.find((object) => object === copy));
  }
}
