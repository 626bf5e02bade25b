
// The pages: a button, which is hidden without this script, submits the form with
// the browser's credential; on the login page the name's field offers passkeys. A
// ceremony expires after five minutes, so that another one is fetched in time.
const post = async (url, fields) => {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams(fields) });
  if (!response.ok) throw new Error(response.status);
  return response.json();
};

function usePasskeys(form) {
  const { passkey, renew, forget: unknown } = form.dataset;
  const part = (name) => form.querySelector(`[data-passkey-${name}]`);
  const show = (name, visible) => { const e = part(name); if (e) e.hidden = !visible; };
  const fields = form.elements;
  let options = JSON.parse(passkey);
  let purpose = form.dataset.for;
  let begun = Date.now();

  const begin = async () => {
    const wanted = fields.second?.checked ? "second" : form.dataset.for;
    if (Date.now() - begun > 200000 || wanted !== purpose) {
      const next = await post(renew, { for: wanted });
      [options, purpose, begun] = [next.publicKey, wanted, Date.now()];
      fields.pending.value = next.pending;
    }
    return options;
  };
  const send = (credential) => {
    fields.credential.value = JSON.stringify(credential);
    form.requestSubmit();
  };

  if (unknown) forget(options.rpId, unknown);
  show("without", false);
  show("use", true);
  part("use").addEventListener("click", async (event) => {
    event.preventDefault(); // the credential comes first
    show("failed", false);
    show("exists", false);
    try {
      send(await ("create" in form.dataset ? create : get)(await begin()));
    } catch (error) {
      show(error.name === "InvalidStateError" ? "exists" : "failed", true);
    }
  });
  if (purpose === "login") autofill(begin, async (credential) => send(credential));
}

if (supported()) document.querySelectorAll("form[data-passkey]").forEach(usePasskeys);
for (const { dataset } of document.querySelectorAll("[data-signals]"))
  post(dataset.signals, {}).then(signal, () => {}); // only the browser's list is out of date
