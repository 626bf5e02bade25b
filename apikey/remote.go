package apikey

// Keys in a process without the database: each is exchanged for a token of its issuer.

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/throttle"
)

// RemoteSettings holds the options of a Remote. Only URL is required.
type RemoteSettings struct {
	// URL is the address at which the issuer exchanges keys, such as
	// https://auth.example.com/auth/api-keys/token/. Required.
	URL string
	// InsecureHTTP allows a URL without TLS. Use it only in a trusted network: the keys
	// are sent there. Default: false.
	InsecureHTTP bool
	// TrustedProxies and ForwardedHeader say which header states the client's address,
	// as in Settings. Default: none, the address is that of the connection.
	TrustedProxies  []string
	ForwardedHeader bool
	// Imported also accepts imported keys, as in Settings. Default: false.
	Imported bool
	// Transport sends the requests. Default: an http.Transport with up to 64
	// connections.
	Transport http.RoundTripper
}

// Remote makes a jotgate.Guard in another process accept the API keys of a gate
// (jotgate.GuardSettings.Credentials):
//
//	remote, err := apikey.NewRemote(apikey.RemoteSettings{URL: "https://auth.example.com/auth/api-keys/token/"})
//	guard, err := jotgate.NewGuard(jotgate.GuardSettings{
//		Keys: keys, RevocationsURL: "https://auth.example.com/auth/revocations", Credentials: []jotgate.CredentialSource{remote},
//	})
//	go guard.Run(ctx) // follows the revocations
//
// Create it with NewRemote. It sends a key to the issuer (RemoteSettings.URL), which
// returns a signed token; the Guard verifies it and caches it for at most five minutes,
// and still refuses the key within a second after its revocation. A key with a wrong
// checksum is refused without a request. A key that the issuer has refused is refused
// for ten seconds without another request, and a key for which the request failed for
// one second. A Remote is safe for concurrent use.
type Remote struct {
	url      string
	client   *http.Client
	proxies  throttle.Proxies
	imported bool          // RemoteSettings.Imported
	slots    chan struct{} // one for each concurrent request

	mu      sync.Mutex
	pending map[[sha256.Size]byte]*exchange // by the digest of the key
	refused map[[sha256.Size]byte]refusal
}

var _ jotgate.CredentialSource = (*Remote)(nil)

const (
	exchangeTimeout = 5 * time.Second
	maxExchanges    = 64 // concurrent requests to the issuer
	maxResponse     = 64 << 10
	maxRefused      = 10_000 // refused keys that are remembered
	refusedFor      = 10 * time.Second
	failedFor       = time.Second
)

// NewRemote returns a Remote, or an error that names the setting at fault.
func NewRemote(s RemoteSettings) (*Remote, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && s.InsecureHTTP) {
		return nil, fmt.Errorf("apikey: URL %q must be an https URL such as https://auth.example.com/auth/api-keys/token/ (in a trusted network, set InsecureHTTP)", s.URL)
	}
	proxies, err := throttle.ParseProxies(s.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("apikey: TrustedProxies: %w", err)
	}
	proxies.Forwarded = s.ForwardedHeader
	if s.Transport == nil {
		s.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: exchangeTimeout,
			MaxIdleConnsPerHost: maxExchanges, MaxConnsPerHost: maxExchanges, IdleConnTimeout: time.Minute,
		}
	}
	return &Remote{
		url: s.URL, proxies: proxies, imported: s.Imported, slots: make(chan struct{}, maxExchanges),
		pending: map[[sha256.Size]byte]*exchange{}, refused: map[[sha256.Size]byte]refusal{},
		client: &http.Client{Transport: s.Transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the issuer must not redirect an API key")
		}},
	}, nil
}

// Accepts implements jotgate.CredentialSource, as Keys does.
func (m *Remote) Accepts(scheme, value string) bool { return accepts(scheme, value, m.imported) }

// Admit implements jotgate.CredentialSource: it checks the networks of the key.
func (m *Remote) Admit(r *http.Request, c *jotgate.Credential) error {
	if len(c.Networks) > 0 && !isInside(m.proxies.ClientAddr(r), c.Networks) {
		return errNetwork
	}
	return nil
}

// Load implements jotgate.CredentialSource: it exchanges the key. Concurrent calls with
// one key share a request.
func (m *Remote) Load(ctx context.Context, value string, now time.Time) (c jotgate.Credential, err error) {
	id, ok := idOf(value)
	if !ok {
		return c, errNotValid.Because(errForm)
	}
	e, err := m.begin(ctx, value, now)
	if err != nil {
		return c, err
	}
	select {
	case <-e.done:
	case <-ctx.Done():
		return c, jotgate.ErrUnavailable.Because(ctx.Err())
	}
	return jotgate.Credential{ID: id, Session: (&Key{ID: id}).Session(), Token: e.token}, e.err
}

// exchange is a request to the issuer. The other fields are set when done is closed.
type exchange struct {
	done  chan struct{}
	token string
	err   error
}

// refusal is why a key is refused without a request, and until when.
type refusal struct {
	err   error
	until time.Time
}

// begin returns the pending exchange of a key, or starts one.
func (m *Remote) begin(ctx context.Context, key string, now time.Time) (*exchange, error) {
	digest := sha256.Sum256([]byte(key))
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.refused[digest]; ok && now.Before(r.until) && !now.Before(r.until.Add(-refusedFor)) {
		return nil, r.err
	}
	e, ok := m.pending[digest]
	if !ok {
		e = &exchange{done: make(chan struct{})}
		m.pending[digest] = e
		go m.run(context.WithoutCancel(ctx), e, digest, key, now)
	}
	return e, nil
}

// run exchanges a key, with the values of the context of the first request that has it.
func (m *Remote) run(ctx context.Context, e *exchange, digest [sha256.Size]byte, key string, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	select {
	case m.slots <- struct{}{}:
		e.token, e.err = m.request(ctx, key)
		<-m.slots
	case <-ctx.Done():
		e.err = jotgate.ErrUnavailable.Because(errors.New("too many API keys are being exchanged"))
	}
	m.mu.Lock()
	delete(m.pending, digest)
	delete(m.refused, digest)
	if e.err != nil {
		m.refuse(digest, e.err, now)
	}
	m.mu.Unlock()
	close(e.done)
}

// refuse remembers a failure. The caller holds the lock.
func (m *Remote) refuse(digest [sha256.Size]byte, err error, now time.Time) {
	if len(m.refused) >= maxRefused {
		clear(m.refused) // each costs one more request
	}
	until := now.Add(failedFor)
	if errors.Is(err, errNotValid) {
		until = now.Add(refusedFor)
	}
	m.refused[digest] = refusal{err, until}
}

// request asks the issuer for the token of a key.
func (m *Remote) request(ctx context.Context, key string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url, http.NoBody)
	if err != nil {
		return "", jotgate.ErrUnavailable.Because(err)
	}
	r.Header.Set("X-Api-Key", key)
	r.Header.Set("Accept", "application/json")
	response, err := m.client.Do(r)
	if err != nil {
		return "", jotgate.ErrUnavailable.Because(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	switch {
	case err != nil:
		return "", jotgate.ErrUnavailable.Because(err)
	case response.StatusCode == http.StatusUnauthorized:
		return "", errNotValid.Because(errRemote)
	case response.StatusCode != http.StatusOK:
		return "", jotgate.ErrUnavailable.Because(fmt.Errorf("the issuer of API keys responded with %s", response.Status))
	}
	var got exchanged
	if err := json.Unmarshal(body, &got); err != nil || got.Token == "" {
		return "", jotgate.ErrUnavailable.Because(cmp.Or(err, errors.New("the issuer of API keys sent no token")))
	}
	return got.Token, nil
}

var errRemote = errors.New("its issuer refuses it")

// exchanged is the response to a key at POST /auth/api-keys/token/.
type exchanged struct {
	Token string `json:"token"`
}

// Exchange returns the token for the key of a request, which a Remote uses in its place
// (jotgate.Logins.Exchange) for the duration of lifetime, and records the use of the key.
// The error is that with which the key is refused.
func (k *Keys) Exchange(r *http.Request) (token string, lifetime time.Duration, err error) {
	token, c, err := k.gate.Logins().Exchange(r)
	if err != nil {
		return "", 0, err
	}
	now := k.now()
	if key, ok := c.Detail.(*used); ok && now.Unix()-key.noted.Load() >= noteEvery {
		k.noteFrom(c.ID, now, k.proxies.ClientAddr(r))
	}
	return token, c.Expires.Sub(now.Truncate(time.Second)), nil
}
