// Buttons and sliders.
import {toast} from './api.mjs';
import {readLink} from './link.mjs';
import {switchTheme} from './style.mjs';

const byId = (id) => document.getElementById(id);

/// All outlines of the uppermost layer that is shown become drawn ones, to be corrected.
function copyAll(app) {
  const {layers} = app.state;
  if (!layers[0].length) return toast('No outlines are shown that could be copied.');
  const layer = layers[0].at(-1), store = app.stores[layer];
  if (!store) return;
  const wanted = app.wanted() ?? (() => true);
  const copies = app.drawing.copy(store.objects.filter(wanted), (object) => store.classes[object.class]);
  toast(`${copies.length} outlines of ${app.session.layers[layer].name} copied into the drawing.`);
}

export function bindControls(app) {
  for (const key of ['opacity', 'threshold', 'least'])
    byId(key).oninput = (event) => {
      app.state[key] = Number(event.target.value);
      app.update();
    };
  byId('flat').onchange = (event) => {
    app.state.flat = event.target.checked;
    app.update();
  };
  byId('fit').onclick = () => app.panes[0].fit();
  byId('one').onclick = () => app.panes[0].map.setZoom(0);
  byId('compare').onclick = () => app.switchCompare();
  byId('list').onclick = () => app.switchList();
  byId('link').onclick = () => app.address.copy();
  byId('theme').onclick = switchTheme;
  byId('toggle-side').onclick = () => app.switchSide();
  byId('copy-all').onclick = () => copyAll(app);
  addEventListener('hashchange', () => app.follow(readLink(location.hash)));
}
