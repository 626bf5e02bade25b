// Passkeys in the browser: an ES module without dependencies. The page
// fetches the options and posts the credential.
//
//   import * as passkey from "./passkey.js";
//   button.hidden = !passkey.supported();
//   credential = await passkey.create(publicKey);  // register
//   credential = await passkey.get(publicKey);     // log in
//   passkey.autofill(begin, finish);  // <input autocomplete="username webauthn">
//   passkey.signal(signals);          // after a change of passkeys or names
//   passkey.forget(rpId, id);         // after the code "passkey_unknown"
//
// create and get reject with NotAllowedError if the user cancels, and
// InvalidStateError if this device has one of the user's passkeys.

let current; // aborts the pending request: a page has one
let armed; // the arguments of autofill

export const supported = () => !!(globalThis.PublicKeyCredential && navigator.credentials);
export const create = (options) => foreground("create", options);
export const get = (options) => foreground("get", options);

// autofill offers passkeys in the user name's input and never rejects. begin
// returns a promise of options with a new challenge, finish posts the credential;
// if its promise rejects, and every four minutes, it begins again.
export async function autofill(begin, finish) {
  armed = [begin, finish];
  const before = current;
  if (!supported() || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  if (current !== before) return; // a button was faster
  stop();
  const mine = (current = new AbortController());
  const again = () => mine === current && autofill(begin, finish);
  const renew = setTimeout(again, 240000);
  let credential;
  try {
    const options = await begin();
    if (mine !== current) return;
    credential = await request("get", options, { mediation: "conditional", signal: mine.signal });
    await finish(credential);
    armed = null;
  } catch (e) {
    if (credential || e.name === "NotAllowedError") setTimeout(again, 1000); // no loop
  } finally {
    clearTimeout(renew);
  }
}

export function stop() {
  current?.abort();
  current = null;
}

export const signal = ({ rpId, userId, allAcceptedCredentialIds, name, displayName }) =>
  Promise.all([
    call("AllAcceptedCredentials", { rpId, userId, allAcceptedCredentialIds }),
    call("CurrentUserDetails", { rpId, userId, name, displayName }),
  ]);
export const forget = (rpId, credentialId) => call("UnknownCredential", { rpId, credentialId });
const call = async (name, o) => globalThis.PublicKeyCredential?.["signal" + name]?.(o).catch(() => {});

async function foreground(method, options) {
  stop();
  const mine = (current = new AbortController());
  try {
    return await request(method, options, { signal: mine.signal });
  } catch (e) {
    if (armed && mine === current) autofill(...armed);
    throw e;
  }
}

async function request(method, options, init) {
  const publicKey = { ...options, challenge: decode(options.challenge) };
  if (options.user) publicKey.user = { ...options.user, id: decode(options.user.id) };
  for (const list of ["allowCredentials", "excludeCredentials"])
    publicKey[list] = options[list]?.map((d) => ({ ...d, id: decode(d.id) }));
  const c = await navigator.credentials[method]({ ...init, publicKey });
  // Some password managers have no toJSON.
  const from = c.response;
  const response = { transports: from.getTransports?.() };
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (from[name]) response[name] = encode(from[name]);
  const { credProps } = c.getClientExtensionResults?.() ?? {};
  const { id, type, authenticatorAttachment } = c;
  return { id, rawId: id, type, authenticatorAttachment, response, clientExtensionResults: { credProps } };
}

const decode = (s) => Uint8Array.from(atob(s.replace(/[-_]/g, (c) => ({ "-": "+", _: "/" })[c])), (c) => c.charCodeAt(0));
const encode = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/[+/=]/g, (c) => ({ "+": "-", "/": "_" })[c] ?? "");
