// Tokens and codes for the scripts of this folder and of pages.
import { createHmac } from "node:crypto";

// expired is an access token that has expired long ago, signed with the secret of the server.
export function expired(secret) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ token_type: "access", iat: 1, exp: 2, jti: "expired", user_id: "1" })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

// code is what an authenticator app shows (RFC 6238).
function code(secret) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  return String((digest.readUInt32BE(digest[19] & 15) & 0x7fffffff) % 1e6).padStart(6, "0");
}

// setUp sets up an app by a code of it, and by the next one if that has expired on its way. It returns the response, and how many
// codes had expired.
export async function setUp(secret, send) {
  for (let late = 0; ; late++) {
    const sent = code(secret);
    const response = await send(sent);
    if (response.recovery_codes || code(secret) === sent) return [response, late];
  }
}
