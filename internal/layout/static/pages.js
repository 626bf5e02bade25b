"use strict";
// The pages work without this script. It puts the focus on what is wrong, shows
// passwords on request, and sends no form twice.
(() => {
  document.getElementById("errors")?.focus();

  for (const button of document.querySelectorAll("button.show")) {
    const input = document.getElementById(button.getAttribute("aria-controls"));
    const show = (visible) => {
      input.type = visible ? "text" : "password";
      button.textContent = visible ? button.dataset.hide : button.dataset.show;
    };
    button.addEventListener("click", () => { show(input.type === "password"); input.focus(); });
    input.form.addEventListener("submit", () => show(false));
    const room = () => { input.style.paddingInlineEnd = button.offsetWidth + "px"; };
    button.hidden = false;
    room();
  }

  for (const label of document.querySelectorAll("[data-tick]")) { // ticks the whole column
    label.hidden = false;
    label.control.addEventListener("change", () => {
      for (const box of document.getElementsByName(label.dataset.tick)) box.checked = label.control.checked;
    });
  }

  for (const form of document.forms) {
    if (form.method !== "post") continue;
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "yes";
      form.querySelector("button[type=submit]")?.setAttribute("aria-busy", "true");
    });
  }
  // A page that comes back from the browser's cache can be sent again, and a
  // download leaves the page where it is.
  const ready = () => {
    for (const form of document.forms) {
      delete form.dataset.sent;
      form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
    }
  };
  addEventListener("pageshow", (event) => { if (event.persisted) ready(); });
  addEventListener("focus", () => setTimeout(ready, 3000));
})();
