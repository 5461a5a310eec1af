// Asking somebody for a key, in a dialog.

import { say } from "./words.js";

const dialog = document.getElementById("key");
const form = dialog.querySelector("form");
const input = document.getElementById("key-input");

/** The key somebody gives; null when he closes the dialog. */
export function askForKey(refused) {
  document.getElementById("key-title").textContent = say("key.title");
  document.getElementById("key-why").textContent = say(refused ? "key.refused" : "key.why");
  form.querySelector("label").textContent = say("key.label");
  form.querySelector("button").textContent = say("key.use");
  input.value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      resolve(input.value.trim());
      input.value = "";
      dialog.close();
    };
    dialog.onclose = () => resolve(null); // after a key was given this comes too late
  });
}
