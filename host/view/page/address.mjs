// The address of what is seen follows it, and can be copied.
import {toast} from './api.mjs';
import {writeLink} from './link.mjs';

export class Address {
  constructor(app) { this.app = app; }

  remember() {
    if (!this.app.details) return;
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => history.replaceState(null, '', this.text()), 150);
  }

  text() {
    const {map} = this.app.panes[0], centre = map.getCenter();
    return writeLink({...this.app.state, view: {x: centre.lng, y: centre.lat, z: map.getZoom()}});
  }

  async copy() {
    history.replaceState(null, '', this.text());
    try {
      await navigator.clipboard.writeText(location.href);
      toast('The link to this view is copied. Its token opens the viewer to whoever can reach this port.');
    } catch {
      toast('The address bar has the link to this view.');
    }
  }
}
