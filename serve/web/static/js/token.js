// Asking for the server's token.
import { byId } from "./dom.js";
import { token } from "./api.js";

/**
 * Asks for a token until one is given, which is then used, or it is given up: true or false. wrong says that there was one already, which the server refused.
 */
export function askToken(wrong) {
  const dialog = byId("token");
  const input = byId("token-value");
  byId("token-wrong").hidden = !wrong;
  input.value = "";
  return new Promise((resolve) => {
    let given = false;
    const controller = new AbortController();
    const { signal } = controller;
    byId("token-form").addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        if (!input.value.trim()) return;
        token.set(input.value.trim());
        given = true;
        dialog.close();
      },
      { signal },
    );
    byId("token-cancel").addEventListener("click", () => dialog.close(), { signal });
    dialog.addEventListener(
      "close",
      () => {
        input.value = "";
        controller.abort();
        resolve(given);
      },
      { signal },
    );
    dialog.showModal();
  });
}
