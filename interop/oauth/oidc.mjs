// npm's oidc-provider on a free port, with one client, in memory: JWT access tokens signed with ES256 if they are for the
// resource, otherwise opaque ones, which alone it introspects. It responds to its one line of input with the port.
import http from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import readline from 'node:readline';
import Provider from 'oidc-provider';

console.info = console.warn = console.log = console.error;
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const resource = 'https://api.example';
const server = http.createServer({ keepAliveTimeout: 600_000, headersTimeout: 600_000, requestTimeout: 0 }).listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{ client_id: 'judge', client_secret: 'a-secret-of-the-client', grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: 'orders:read', id_token_signed_response_alg: 'ES256' }],
    jwks: { keys: [{ ...key, alg: 'ES256', use: 'sig', kid: '1' }] },
    scopes: ['orders:read'],
    cookies: { keys: ['for the test only'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'orders:read', accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg: 'ES256' } } }),
      },
    },
  });
  server.on('request', provider.callback());
  readline.createInterface({ input: process.stdin }).on('line', () => process.stdout.write(`${port}\n`));
});
