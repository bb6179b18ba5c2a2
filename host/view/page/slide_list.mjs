// The list of slides with their thumbnails.
import {get, tileUrl} from './api.mjs';

const byId = (id) => document.getElementById(id);

export class SlideList {
  /// `open(index)` is called when somebody chooses a slide; `current()` is the one that is open.
  constructor(slides, open, current) {
    Object.assign(this, {current});
    byId('slide-count').textContent = slides.length;
    byId('slide-filter').hidden = slides.length < 8;
    byId('slides').replaceChildren(...slides.map((slide, i) => this.row(slide, i, open)));
    byId('slide-filter').oninput = (event) => {
      const text = event.target.value.toLowerCase();
      [...byId('slides').children].forEach((row, i) => { row.hidden = !slides[i].id.toLowerCase().includes(text); });
    };
  }

  row(slide, i, open) {
    const row = document.createElement('li'), button = document.createElement('button');
    const name = document.createElement('span'), image = new Image();
    image.alt = '';
    image.onerror = () => image.removeAttribute('src');
    if (slide.picture) this.thumbnail(image, i);
    name.textContent = slide.id;
    button.title = slide.place;
    button.append(image, name);
    button.onclick = () => open(i);
    row.append(button);
    return row;
  }

  /// Thumbnails are made when they come into sight, one after the other: a slide has to be opened for each.
  thumbnail(image, index) {
    this.sight ??= new IntersectionObserver((entries) => {
      for (const {target, isIntersecting} of entries) {
        if (!isIntersecting) continue;
        this.sight.unobserve(target);
        this.made = (this.made ?? Promise.resolve()).then(() => this.fill(target)).catch(() => {});
      }
    });
    image.dataset.index = index;
    this.sight.observe(image);
  }

  async fill(image) {
    const index = Number(image.dataset.index), details = await get(`slides/${index}`);
    if (details.overview < 1 && index !== this.current()) return;  // no reading of whole slides for a thumbnail
    image.src = tileUrl(index, details.deepest, 0, 0);
    await image.decode().catch(() => {});
  }

  mark() {
    [...byId('slides').children].forEach((row, i) => {
      row.firstChild.setAttribute('aria-current', i === this.current());
      if (i === this.current()) row.scrollIntoView({block: 'nearest'});
    });
  }
}
