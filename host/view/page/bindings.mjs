// What each key does.
import {listen} from './keys.mjs';

const STEP = 180;  // screen pixels of an arrow key

export function bindKeys(app) {
  const {map} = app.panes[0], {state} = app;
  const pan = (x, y) => map.panBy([x, y], {animate: true, duration: 0.15});
  const slideBy = (by) => {
    const n = app.session.slides.length, next = app.index + by;
    if (next >= 0 && next < n) app.open(next);
  };
  const nudge = (key, by) => {
    state[key] = Math.min(100, Math.max(0, state[key] + by));
    app.update();
  };
  const key = (shown, keys, text, act) => ({shown, keys, text, act});
  listen([
    key('← ↑ → ↓', ['ArrowLeft', 'ArrowUp', 'ArrowRight', 'ArrowDown'], 'move', (event) => ({
      ArrowLeft: () => pan(-STEP, 0), ArrowRight: () => pan(STEP, 0), ArrowUp: () => pan(0, -STEP),
      ArrowDown: () => pan(0, STEP)})[event.key]()),
    key('+ −', ['+', '=', '-'], 'zoom', (event) => map.setZoom(map.getZoom() + (event.key === '-' ? -1 : 1))),
    key('F', ['f', '0'], 'the whole slide', () => app.panes[0].fit()),
    key('Z', ['z'], 'a pixel of the slide is one of the screen', () => map.setZoom(0)),
    key('[ ]', ['[', ']'], 'the slide before or after', (event) => slideBy(event.key === '[' ? -1 : 1)),
    key('1 … 5', ['1', '2', '3', '4', '5'], 'outlines on or off', (event) => {
      const layer = Number(event.key) - 1;
      if (app.details?.layers[layer]?.objects) app.toggle(layer, 0, !state.layers[0].includes(layer));
    }),
    key('H', ['h'], 'probability on or off', () => app.switchHeat()),
    key('< >', [',', '.', '<', '>'], 'threshold', (event) => nudge('threshold', ',<'.includes(event.key) ? -5 : 5)),
    key('O  P', ['o', 'p'], 'opacity', (event) => nudge('opacity', event.key.toLowerCase() === 'o' ? -10 : 10)),
    key('C', ['c'], 'two sides with one view', () => app.switchCompare()),
    key('L', ['l'], 'list of objects', () => app.switchList()),
    key('N  B', ['n', 'b'], 'next object of the list, and back',
      (event) => app.table.step(event.key.toLowerCase() === 'n' ? 1 : -1)),
    key('D', ['d'], 'draw a polygon: click its corners, Enter or a double click closes it',
      () => app.drawing.take('polygon')),
    key('G', ['g'], 'draw freehand: drag around the object', () => app.drawing.take('free')),
    key('A', ['a'], 'copy the outline under the pointer into the drawing', () => app.pointing.copy()),
    key('E', ['e'], 'class of the chosen drawn object, or of the next',
      () => document.getElementById('class').select()),
    key('Delete', ['Delete', 'Backspace'], 'remove the chosen drawn object, or the last corner', () => {
      if (app.drawing.ring.length) app.drawing.dropLast();
      else app.drawing.remove();
    }),
    key('Ctrl+Z', ['Ctrl+z'], 'undo', () => app.drawing.undo()),
    key('Enter', ['Enter'], 'close the polygon', () => app.drawing.close()),
    key('Esc', ['Escape'], 'leave off drawing', () => app.drawing.cancel()),
    key('K', ['k'], 'copy a link to this view', () => app.address.copy()),
    key('S', ['s'], 'slides and layers on or off', () => app.switchSide()),
    key('?', [], 'these keys', () => {}),
  ]);
}
