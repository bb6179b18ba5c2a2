// What is saved of the drawing of one slide, whichever slide is looked at meanwhile.
import {put, tell} from './api.mjs';

/// What the file holds already is named, so that all that it knows of it besides stays.
const sent = ({feature, class: name, parts}) => feature ? {feature, class: name} : {class: name,
  parts: parts.map((part) => part.map((ring) => Array.from(ring, (v) => Math.round(100 * v) / 100)))};

export class DrawingFile {
  /// `said(text, bad)` is called with what became of each request.
  constructor(slide, version, said) { Object.assign(this, {slide, version, said, unsaved: false}); }

  /// Whether something would be lost if the page were closed now.
  get pending() { return this.unsaved || Boolean(this.saving); }

  take(objects) {
    this.objects = objects;
    this.unsaved = true;
  }

  /// Ends when the newest objects are saved, or cannot be. One request at a time, whoever calls.
  flush() {
    this.saving ??= this.save().finally(() => { this.saving = undefined; });
    return this.saving;
  }

  async save() {
    while (this.unsaved) {
      this.unsaved = false;
      const {objects} = this;
      try {
        const got = await put(`drawing/${this.slide.index}`, {version: this.version, objects: objects.map(sent)});
        this.version = got.version;
        objects.forEach((object, i) => { object.feature = got.features[i]; });
        if (!this.unsaved) this.said(`saved: ${got.file}`, false);
      } catch (error) {
        if (error.status === 409) this.broken = error.message;
        this.said(`not saved: ${error.message}`, true);
        tell(error);
        if (error.status === 0) this.unsaved = true;  // another try with the next change
        if (error.status === 0 || this.broken) return;
      }
    }
  }
}
