/** Small hands for the DOM: everything is text or a known attribute, and nothing is written that is already so. */

/** The page's own markup does not fit its script: a build is broken, nothing that happens at run time. */
export class MarkupError extends Error {
  override readonly name = "MarkupError";
  constructor(selector: string, type: string) {
    super(
      `index.html has no ${type} at "${selector}". Page and script are from different builds: rebuild the page.`,
    );
  }
}

/** The element at `selector`, which must be there and of the type. */
export function need<T extends Element>(within: ParentNode, selector: string, type: abstract new () => T): T {
  const element = within.querySelector(selector);
  if (element instanceof type) return element;
  throw new MarkupError(selector, type.name);
}

export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function setState(element: Element, state: string): void {
  setAttribute(element, "data-state", state);
}

export function setHidden(element: HTMLElement, hidden: boolean): void {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/** Shows one of the icons of index.html. */
export function setIcon(icon: Element, name: string): void {
  const use = icon.firstElementChild;
  if (use !== null) setAttribute(use, "href", `#icon-${name}`);
}

const SVG = "http://www.w3.org/2000/svg";

export function newIcon(name: string): SVGSVGElement {
  const icon = document.createElementNS(SVG, "svg");
  icon.setAttribute("class", "icon");
  icon.setAttribute("aria-hidden", "true");
  icon.append(document.createElementNS(SVG, "use"));
  setIcon(icon, name);
  return icon;
}

export function newElement<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

/**
 * Keeps a list's children equal to `rows`: one element a key, made once, moved only where the order changed, and
 * dropped with its row. What has the focus keeps it.
 */
export class KeyedList<Row, Item extends { readonly element: HTMLElement }> {
  readonly #items = new Map<string, Item>();
  readonly #parent: HTMLElement;
  readonly #keyOf: (row: Row) => string;
  readonly #make: (row: Row) => Item;
  readonly #draw: (item: Item, row: Row) => void;

  constructor(
    parent: HTMLElement,
    {
      key,
      make,
      draw,
    }: { key: (row: Row) => string; make: (row: Row) => Item; draw: (item: Item, row: Row) => void },
  ) {
    this.#parent = parent;
    this.#keyOf = key;
    this.#make = make;
    this.#draw = draw;
  }

  update(rows: readonly Row[]): void {
    const wanted = new Set(rows.map((row) => this.#keyOf(row)));
    for (const [key, item] of this.#items) {
      if (wanted.has(key)) continue;
      item.element.remove();
      this.#items.delete(key);
    }
    let place = this.#parent.firstElementChild;
    for (const row of rows) {
      const item = this.#itemOf(row);
      this.#draw(item, row);
      // What stands in between has moved down, and is set to its new place when its row comes.
      if (item.element === place?.nextElementSibling) place = item.element;
      if (item.element === place) place = place.nextElementSibling;
      else this.#parent.insertBefore(item.element, place);
    }
  }

  /** Redraws one row in place; a row that is not listed is ignored. */
  redraw(row: Row): void {
    const item = this.#items.get(this.#keyOf(row));
    if (item !== undefined) this.#draw(item, row);
  }

  #itemOf(row: Row): Item {
    const key = this.#keyOf(row);
    const known = this.#items.get(key);
    if (known !== undefined) return known;
    const item = this.#make(row);
    this.#items.set(key, item);
    return item;
  }
}
