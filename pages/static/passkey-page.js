
// The page: a button, which is hidden without this script, submits the form with
// the browser's credential.
for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!supported()) break;
  const button = form.querySelector("button[data-passkey-use]");
  const failed = form.querySelector("[data-passkey-failed]");
  form.querySelector("[data-passkey-without]").hidden = true;
  button.hidden = false;
  button.addEventListener("click", async (event) => {
    event.preventDefault(); // the credential comes first
    failed.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify(await get(JSON.parse(form.dataset.passkey)));
      form.requestSubmit();
    } catch {
      failed.hidden = false;
    }
  });
}
