'use strict';
// The page is whole without this script. It adds the search in the serial log, and keys for the opened screen.
(() => {
  const log = document.querySelector('.log');
  if (log) {
    const form = log.querySelector('form');
    const input = form.querySelector('input');
    const output = form.querySelector('output');
    const pre = log.querySelector('pre');
    const most = 10000;
    let matches = [];
    let current = -1;
    form.hidden = false;

    const find = () => {
      matches = [];
      const text = input.value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      if (text) {
        const walker = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node && matches.length < most; node = walker.nextNode()) {
          for (const match of node.data.matchAll(new RegExp(text, 'gi'))) {
            const range = new Range();
            range.setStart(node, match.index);
            range.setEnd(node, match.index + match[0].length);
            if (matches.push(range) === most) break;
          }
        }
      }
      current = -1;
      step(1);
    };

    const step = by => {
      current = matches.length ? (current + by + matches.length) % matches.length : -1;
      output.textContent = !input.value ? '' : current < 0 ? 'not found' : `${current + 1} of ${matches.length === most ? 'many' : matches.length}`;
      if (window.CSS && CSS.highlights) {
        CSS.highlights.set('found', new Highlight(...matches));
        CSS.highlights.set('current', new Highlight(...(current < 0 ? [] : [matches[current]])));
      }
      if (current >= 0) {
        const place = matches[current].getBoundingClientRect();
        const frame = pre.getBoundingClientRect();
        pre.scrollTop += place.top - frame.top - frame.height / 2;
      }
    };

    let waiting = 0;
    input.addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(find, 80); });
    form.addEventListener('submit', event => { event.preventDefault(); step(1); });
    form.addEventListener('click', event => { if (event.target.dataset.step) step(Number(event.target.dataset.step)); });
  }

  document.addEventListener('keydown', event => {
    const open = document.querySelector('.film details[open]');
    if (!open) return;
    const item = open.parentElement;
    const next = event.key === 'ArrowRight' ? item.nextElementSibling : event.key === 'ArrowLeft' ? item.previousElementSibling : null;
    if (event.key === 'Escape' || next) {
      open.open = false;
      const details = next ? next.querySelector('details') : open;
      if (next) details.open = true;
      details.querySelector('summary').focus();
      event.preventDefault();
    }
  });
})();
