// The list of objects: any column sorts, a row jumps there. Only rows that are in sight exist, so that 10,000 are no
// burden.

const ROW = 25;
const COLUMNS = [
  {key: 'layer', name: 'Outlines', value: (row) => row.layer.name},
  {key: 'class', name: 'Class', value: (row) => row.className},
  {key: 'confidence', name: 'Confidence', value: (row) => row.object.confidence, text: (v) => v.toFixed(3)},
  {key: 'iou', name: 'IoU', value: (row) => row.object.iou, text: (v) => v.toFixed(3)},
  {key: 'area', name: 'Area', value: (row) => row.object.pixels},
  {key: 'x', name: 'x', value: (row) => row.object.x, text: (v) => v.toFixed(0)},
  {key: 'y', name: 'y', value: (row) => row.object.y, text: (v) => v.toFixed(0)},
];

const compared = (a, b) => {
  if (a == null || b == null) return (a == null) - (b == null);
  return typeof a === 'string' ? a.localeCompare(b) : a - b;
};

export class Table {
  /// `jump(row)` is called when somebody chooses a row; `area(pixels)` gives the text of an area.
  constructor({jump, area}) {
    this.jump = jump;
    this.area = area;
    this.rows = [];
    this.sorted = {key: 'confidence', down: true};
    this.chosen = undefined;
    this.box = document.getElementById('table');
    this.head = document.getElementById('table-head');
    this.body = document.getElementById('table-body');
    this.inner = document.getElementById('table-rows');
    for (const column of COLUMNS) {
      const button = document.createElement('button');
      button.dataset.key = column.key;
      button.onclick = () => this.sort(column.key);
      this.head.append(button);
    }
    this.body.onscroll = () => this.draw();
    this.body.onkeydown = (event) => {
      const by = {ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8}[event.key];
      if (by === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.step(by);
    };
    new ResizeObserver(() => this.draw()).observe(this.body);
  }

  setRows(rows) {
    this.rows = rows;
    if (!rows.some((row) => row.object === this.chosen)) this.chosen = undefined;
    this.order();
  }

  sort(key) {
    const text = key === 'layer' || key === 'class';
    this.sorted = this.sorted.key === key ? {key, down: !this.sorted.down} : {key, down: !text};
    this.order();
    this.body.scrollTop = 0;
  }

  order() {
    const {key, down} = this.sorted, {value} = COLUMNS.find((column) => column.key === key);
    const keyed = this.rows.map((row) => [value(row), row]);
    keyed.sort(([a], [b]) => {
      if (a == null || b == null) return compared(a, b);  // what is not known stays last
      return down ? compared(b, a) : compared(a, b);
    });
    this.rows = keyed.map(([, row]) => row);
    for (const button of this.head.children) {
      const mine = button.dataset.key === key;
      const name = COLUMNS.find((column) => column.key === button.dataset.key).name;
      button.textContent = name + (mine ? (down ? ' ▾' : ' ▴') : '');
      button.setAttribute('aria-sort', mine ? (down ? 'descending' : 'ascending') : 'none');
    }
    this.draw();
  }

  choose(object, scroll = true) {
    this.chosen = object;
    const at = this.rows.findIndex((row) => row.object === object);
    if (scroll && at >= 0) {
      const top = at * ROW, {scrollTop, clientHeight} = this.body;
      if (top < scrollTop || top + ROW > scrollTop + clientHeight) this.body.scrollTop = top - clientHeight / 2;
    }
    this.draw();
  }

  step(by) {
    if (!this.rows.length) return;
    const at = this.rows.findIndex((row) => row.object === this.chosen);
    const next = at < 0 ? (by > 0 ? 0 : this.rows.length - 1) : Math.min(this.rows.length - 1, Math.max(0, at + by));
    this.choose(this.rows[next].object);
    this.jump(this.rows[next]);
  }

  draw() {
    if (this.box.hidden) return;
    this.inner.style.height = `${this.rows.length * ROW}px`;
    const first = Math.max(0, Math.floor(this.body.scrollTop / ROW) - 4);
    const end = Math.min(this.rows.length, first + Math.ceil(this.body.clientHeight / ROW) + 8);
    const made = [];
    for (let i = first; i < end; ++i) made.push(this.line(this.rows[i], i));
    this.inner.replaceChildren(...made);
  }

  line(row, i) {
    const line = document.createElement('div');
    line.className = row.object === this.chosen ? 'row chosen' : 'row';
    line.style.top = `${i * ROW}px`;
    for (const column of COLUMNS) {
      const cell = document.createElement('span');
      const value = column.value(row);
      if (column.key === 'layer') {
        const dot = document.createElement('i');
        dot.className = 'dot';
        dot.style.background = row.style.colour;
        cell.append(dot);
      }
      cell.append(value == null ? '–' : column.key === 'area' ? this.area(value) : column.text?.(value) ?? value);
      line.append(cell);
    }
    line.onclick = () => {
      this.choose(row.object, false);
      this.jump(row);
    };
    return line;
  }
}
