// What stands beside the pointer: an object's facts.

const box = document.getElementById('tip');

export function hideTip() { box.hidden = true; }

/// `lines`: [name, value]; at the place of a mouse event.
export function showTip(lines, {clientX, clientY}) {
  const list = document.createElement('dl');
  for (const [name, value] of lines) {
    const dt = document.createElement('dt'), dd = document.createElement('dd');
    dt.textContent = name;
    dd.textContent = value;
    list.append(dt, dd);
  }
  box.replaceChildren(list);
  box.hidden = false;
  box.style.left = `${Math.min(clientX + 16, innerWidth - box.offsetWidth - 8)}px`;
  box.style.top = `${clientY + 20 + box.offsetHeight > innerHeight ? clientY - box.offsetHeight - 12 : clientY + 16}px`;
}
