/** What holds at this moment, in words: a calm line while all is well, a coloured one for each trouble. */
import type { Notice } from "../states.ts";
import { KeyedList, need, newElement, newIcon, setAttribute, setHidden, setState, setText } from "./dom.ts";

export function noticesView(page: ParentNode): (notices: readonly Notice[]) => void {
  const list = new KeyedList(need(page, ".notices", HTMLElement), { key, make, draw });
  return (notices) => list.update(notices);
}

const key = ({ state }: Notice): string => state;

function make({ state }: Notice) {
  const word = newElement("span", "notice-word");
  const sentence = newElement("span", "");
  const command = newElement("code", "");
  const text = newElement("p", "notice-text", word, " ", sentence, " ", command);
  const element = newElement("li", "notice", newIcon(state), text);
  setAttribute(element, "data-testid", "state");
  return { element, word, sentence, command };
}

function draw({ element, word, sentence, command }: ReturnType<typeof make>, notice: Notice): void {
  setState(element, notice.state);
  setAttribute(element, "data-tone", notice.tone);
  setText(word, notice.word);
  setText(sentence, notice.text);
  setText(command, notice.command ?? "");
  setHidden(command, notice.command === undefined);
}
