// Requests to the program that serves this page. Addresses are relative: the token is part of the page's own.

export class ViewError extends Error {
  constructor(message, hint, status) {
    super(message);
    this.hint = hint ?? '';
    this.status = status;
  }
}

async function answer(response) {
  if (response.ok) return response.json();
  let said = {};
  try {
    said = await response.json();
  } catch { /* plain text */ }
  throw new ViewError(said.error ?? `The program answered with ${response.status}.`, said.hint, response.status);
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new ViewError('nephron view does not answer any more.', 'Start it again and open its new address.', 0);
  }
  return answer(response);
}

export const get = (path, signal) => ask(path, {signal});
export const put = (path, value) =>
  ask(path, {method: 'PUT', body: JSON.stringify(value), headers: {'Content-Type': 'application/json'}});

export const tileUrl = (slide, depth, x, y) => `tiles/${slide}/${depth}/${x}/${y}`;
export const mapUrl = (slide, layer, map, depth, x, y) => `maps/${slide}/${layer}/${map}/${depth}/${x}/${y}`;

export function toast(text, bad = false) {
  const box = document.createElement('div');
  box.textContent = text;
  box.className = bad ? 'bad' : '';
  document.getElementById('toasts').append(box);
  setTimeout(() => box.remove(), bad ? 9000 : 3500);
}

export function tell(error) {
  if (error.name === 'AbortError') return;
  toast(error.message + (error.hint ? ' ' + error.hint : ''), true);
}
