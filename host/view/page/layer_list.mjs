// The list of outlines: a box a side, a sample of the line, how many there are.
import {sample} from './style.mjs';

/// `there(i)`, `checked(i, side)` and `toggle(i, side, on)` are the app's.
export function listLayers(layers, styles, {there, checked, toggle}) {
  document.getElementById('layers').replaceChildren(...layers.map((layer, i) => {
    const row = document.createElement('li'), label = document.createElement('label');
    const boxes = Object.assign(document.createElement('span'), {className: 'side-boxes'});
    row.dataset.layer = i;
    for (const side of [0, 1]) {
      const box = Object.assign(document.createElement('input'), {type: 'checkbox', disabled: !there(i),
        checked: checked(i, side), className: side ? 'right' : 'left'});
      box.setAttribute('aria-label', `${layer.name}${side ? ', right side' : ''}`);
      box.onchange = () => toggle(i, side, box.checked);
      boxes.append(box);
    }
    const name = Object.assign(document.createElement('span'), {className: 'name', textContent: layer.name,
      title: layer.kind});
    const count = Object.assign(document.createElement('span'), {className: 'count soft',
      textContent: there(i) ? '' : 'none'});
    label.append(sample(styles[i]), name, count);
    label.onclick = (event) => {
      event.preventDefault();
      if (there(i)) toggle(i, 0, !checked(i, 0));
    };
    row.append(label, boxes);
    return row;
  }));
  for (const box of document.querySelectorAll('.only-objects')) box.hidden = !layers.length;
}

export function noteLayer(layer, text, title = '', bad = false) {
  const box = document.querySelector(`#layers [data-layer="${layer}"] .count`);
  if (box) Object.assign(box, {textContent: text, title, className: `count ${bad ? 'bad' : 'soft'}`});
}
