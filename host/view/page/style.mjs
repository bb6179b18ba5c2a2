// Colours of layers: of the palette of Okabe and Ito (2008, Color Universal Design), which people with protanopia,
// deuteranopia and tritanopia tell apart. Dashes tell them apart once more. Light and dark edges keep a line visible on
// any stain.

const TRUTH = {colour: '#000000', edge: '#ffffff', dash: []};
const COMPARED = [
  {colour: '#0072b2', edge: '#ffffff', dash: []},
  {colour: '#d55e00', edge: '#ffffff', dash: [9, 4]},
  {colour: '#f0e442', edge: '#000000', dash: [3, 3]},
  {colour: '#009e73', edge: '#ffffff', dash: [12, 3, 2, 3]},
];
export const DRAWN = {colour: '#ffffff', edge: '#000000', dash: []};

export function stylesOf(layers) {
  let compared = 0;
  return layers.map((layer) => layer.kind === 'truth' ? TRUTH : COMPARED[compared++ % COMPARED.length]);
}

/// A sample of a line, for lists.
export function sample(style) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('width', 26);
  svg.setAttribute('height', 10);
  for (const [colour, width, dash] of [[style.edge, 5, ''], [style.colour, 2.6, style.dash.join(' ')]]) {
    const line = document.createElementNS(svg.namespaceURI, 'line');
    for (const [name, value] of Object.entries({x1: 1, y1: 5, x2: 25, y2: 5, stroke: colour, 'stroke-width': width,
      'stroke-dasharray': dash})) line.setAttribute(name, value);
    svg.append(line);
  }
  return svg;
}

/// Outlines a path; with an edge and dashes where lines are far enough apart for that.
export function outline(pen, path, style, {width = 2, edge = true} = {}) {
  pen.lineJoin = 'bevel';
  pen.setLineDash([]);
  if (edge) {
    pen.strokeStyle = style.edge;
    pen.globalAlpha = 0.75;
    pen.lineWidth = width + 2;
    pen.stroke(path);
    pen.globalAlpha = 1;
    pen.setLineDash(style.dash);
  }
  pen.strokeStyle = style.colour;
  pen.lineWidth = width;
  pen.stroke(path);
  pen.setLineDash([]);
}

/// All objects of a store that can be seen, a few at a time. Crowds of small ones get thin lines alone.
export function* outlineStore(pen, store, view, style, wanted) {
  const large = store.objects.length < 300 || store.usual * view.scale > 24;
  for (const path of store.paths(view, wanted)) {
    outline(pen, path, style, large ? {} : {width: 1.3, edge: false});
    yield;
  }
}

/// One object, filled and with a strong line.
export function mark(pen, store, i, view, style, alpha) {
  const path = store.path(i, view);
  pen.fillStyle = style.colour;
  pen.globalAlpha = alpha;
  pen.fill(path, 'evenodd');
  pen.globalAlpha = 1;
  outline(pen, path, {...style, dash: []}, {width: 3.5});
}

/// The page follows the system until somebody says otherwise.
export function switchTheme() {
  const root = document.documentElement;
  const light = getComputedStyle(root).getPropertyValue('--panel').trim() === '#ffffff';
  root.dataset.theme = light ? 'dark' : 'light';
}
