// Keys, and the page that lists them.

/// `bindings`: {shown, keys, text, act}; what has no keys is only listed.
export function listen(bindings) {
  const dialog = document.getElementById('keys');
  const list = dialog.querySelector('dl');
  for (const {shown, text} of bindings) {
    const name = document.createElement('dt'), what = document.createElement('dd');
    name.textContent = shown;
    what.textContent = text;
    list.append(name, what);
  }
  document.getElementById('help').onclick = () => dialog.showModal();
  addEventListener('keydown', (event) => {
    if (dialog.open) return;
    const typing = event.target.closest?.('input:not([type=range]):not([type=checkbox]), select, textarea');
    if (typing) {
      if (event.key === 'Escape' || event.key === 'Enter') event.target.blur();
      return;
    }
    if (event.key === '?') return dialog.showModal();
    if (event.altKey || event.metaKey) return;
    const name = (event.ctrlKey ? 'Ctrl+' : '') + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
    const range = event.target.type === 'range' && event.key.startsWith('Arrow');
    const found = range ? undefined : bindings.find((binding) => binding.keys.includes(name));
    if (!found) return;
    event.preventDefault();
    found.act(event);
  });
}
