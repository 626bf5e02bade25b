// A certified OpenID Connect provider on a free port. The first line of standard input says where it sends browsers back
// to, as JSON: first jotgate, which also gets its logout tokens. Each further line is who signs in next. It responds to each
// line with a line.
import http from 'node:http';
import readline from 'node:readline';
import Provider from 'oidc-provider';

// The library writes its notices to standard output, which is for the responses.
console.info = console.warn = console.log = console.error;
const respond = (text) => process.stdout.write(`${text}\n`);

const accounts = {
  verified: { email: 'verified@example.com', email_verified: true, given_name: 'Vera', preferred_username: 'vera' },
  unverified: { email: 'unverified@example.com', email_verified: false, preferred_username: 'una' },
  none: { preferred_username: 'nona' },
};
let user = 'verified';

function start(redirects, port) {
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{
      client_id: 'jotgate', client_secret: 'a secret of the client: 100 % "safe"', redirect_uris: redirects, grant_types: ['authorization_code'], response_types: ['code'],
      backchannel_logout_uri: redirects[0].replace('/callback', '/logout'), backchannel_logout_session_required: true,
      post_logout_redirect_uris: [new URL('/account/logout', redirects[0]).href],
    }],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name', 'family_name', 'preferred_username'] },
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    pkce: { required: () => true },
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined, signal: undefined }), // also to this machine, and to one that is slow
    ttl: { AuthorizationCode: 3600 },
    cookies: { keys: ['for the test only'] },
  });
  const handle = provider.callback();
  return async (request, response) => {
    if (!request.url.startsWith('/interaction/')) return handle(request, response);
    const { prompt, session } = await provider.interactionDetails(request, response);
    if (prompt.name === 'login') return provider.interactionFinished(request, response, { login: { accountId: user } });
    const grant = new provider.Grant({ accountId: session.accountId, clientId: 'jotgate' });
    grant.addOIDCScope('openid email profile');
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  };
}

const server = http.createServer();
server.keepAliveTimeout = 0; // none: a client may use a connection again after a long time
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address();
  let begun = false;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (!begun) {
      server.on('request', start(JSON.parse(line), port));
      begun = true;
      respond(port);
      continue;
    }
    user = line;
    respond('ok');
  }
  process.exit(0);
});
