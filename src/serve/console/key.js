// The dialog that asks for an API key.

import { translate } from "./i18n.js";

const dialog = document.getElementById("key");
const form = dialog.querySelector("form");
const input = document.getElementById("key-input");

/** The key that is entered; null when the dialog is closed. */
export function askForKey(refused) {
  document.getElementById("key-title").textContent = translate("key.title");
  document.getElementById("key-why").textContent = translate(refused ? "key.refused" : "key.why");
  form.querySelector("label").textContent = translate("key.label");
  form.querySelector("button").textContent = translate("key.use");
  input.value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      resolve(input.value.trim());
      input.value = "";
      dialog.close();
    };
    dialog.onclose = () => resolve(null); // has no effect after a key was entered
  });
}
