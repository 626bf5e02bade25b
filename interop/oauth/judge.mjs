// A client of OAuth 2 that knows the issuer and its credentials alone. Each line of standard input is a request in JSON;
// the response is a line with its Value or its Error.
import readline from 'node:readline';
import { webcrypto as crypto } from 'node:crypto';
import * as client from 'openid-client';

const settings = { algorithm: 'oauth2', execute: [client.allowInsecureRequests], timeout: 600 }; // in seconds

// An assertion is valid for four minutes instead of one, on a machine that may be slow.
const longer = { [client.modifyAssertion]: (_header, payload) => { payload.exp = payload.iat + 240; } };

async function authentication({ method, secret, key }) {
  switch (method) {
    case 'client_secret_basic': return client.ClientSecretBasic(secret);
    case 'client_secret_post': return client.ClientSecretPost(secret);
    default: return client.PrivateKeyJwt(await crypto.subtle.importKey('jwk', key, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']), longer);
  }
}

async function exercise(request) {
  const config = await client.discovery(new URL(request.issuer), request.id, undefined, await authentication(request), settings);
  const tokens = await client.clientCredentialsGrant(config, request.scope ? { scope: request.scope } : undefined);
  const before = await client.tokenIntrospection(config, tokens.access_token);
  await client.tokenRevocation(config, tokens.access_token);
  const after = await client.tokenIntrospection(config, tokens.access_token);
  return { token: tokens.access_token, scope: tokens.scope, before, after, metadata: config.serverMetadata() };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  try {
    process.stdout.write(`${JSON.stringify({ Value: await exercise(JSON.parse(line)) })}\n`);
  } catch (e) {
    process.stdout.write(`${JSON.stringify({ Error: `${e.code ?? e.name} ${e.error ?? e.cause?.parameters ?? ''} ${e.status ?? ''} ${e.message}` })}\n`);
  }
}
