package jotgate

// Credentials other than access tokens, such as API keys: their source and their
// cache.

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/jotgate/jotgate/record"
)

// CredentialSource verifies a kind of credential that a Gate (Logins.Accept) or a Guard
// (GuardSettings.Credentials) accepts in addition to access tokens, such as the API
// keys of package apikey. Its methods may be called concurrently.
type CredentialSource interface {
	// Accepts reports whether a value has the form of such a credential; it makes no
	// query. scheme is the word before the value in the header with the token
	// ("Bearer", with the client's letter case), or "X-Api-Key" for the value of that
	// header. Accepts is not called for a value that begins with "ey", which is an
	// access token.
	Accepts(scheme, value string) bool
	// Load finds the credential with this value. now is the time by the gate's clock.
	// It returns an *Error if the credential is not valid.
	Load(ctx context.Context, value string, now time.Time) (Credential, error)
	// Admit returns nil if this request may use the valid credential. It is called for
	// each request, so it must not make a query or wait.
	Admit(r *http.Request, c *Credential) error
}

// Credential is the result of CredentialSource.Load. A Gate caches it for at most 5
// minutes, and never for longer than an access token is valid. It loads it again if the
// owner's tokens are revoked, and rejects it if Session is revoked.
type Credential struct {
	// ID identifies the credential in logs and in the token of Logins.Exchange. It is
	// not secret.
	ID string
	// Owner is the account that the credential belongs to. The Gate rejects the
	// credential if that account is not active.
	Owner record.UserID
	// Account is the account Owner, if Load has read it from the gate's store together
	// with the credential. If it is nil, the Gate reads it.
	Account *record.Account
	// Session identifies the credential in the revocation list: 32 hexadecimal digits.
	Session string
	// Scopes are the scopes that the credential is limited to. If Login is true, it is
	// not limited: it is equivalent to the access token of a login.
	Scopes []string
	Login  bool
	// Networks are the networks from which Admit accepts the credential. Default: any.
	Networks []netip.Prefix
	// Expires is when the credential expires. The zero time means never.
	Expires time.Time
	// Token is the token that Logins.Exchange of the issuer has returned for the
	// credential. A Guard verifies it, and takes the user, Scopes, Networks and Expires
	// from it; its claims must have this ID and Session. It is empty in a Gate.
	Token string
	// Detail is any value that Load passes to Admit.
	Detail any
}

// maxCached is how long a credential is cached at most, in seconds, however long
// access tokens are valid: what changes without a revocation, such as a flag that
// Django sets, takes effect after that time.
const maxCached = 5 * 60

// The type of the token for which a credential is exchanged. It has its own typ (RFC
// 8725 section 3.11), which no verifier of bearer tokens accepts.
const (
	exchangeType = "api_key"
	exchangeTyp  = "api-key+jwt"
)

// cachedCredential is a verified credential.
type cachedCredential struct {
	Credential
	user    *User
	loaded  int64  // by the clock of this process, Unix seconds
	changes uint64 // of the revocation list, before the credential was loaded
}

// credentialCache caches credentials by the SHA-256 of their text, which it does
// not keep. There are two generations of equal size; when the younger is full, the
// older is dropped. It is safe for concurrent use.
type credentialCache struct {
	mu         sync.RWMutex
	half       int
	young, old map[[sha256.Size]byte]*cachedCredential
}

func newCredentialCache(size int) *credentialCache {
	return &credentialCache{half: (max(2, size) + 1) / 2, young: map[[sha256.Size]byte]*cachedCredential{}}
}

// get returns a cached credential, or nil. One of the older generation moves to
// the younger.
func (m *credentialCache) get(key [sha256.Size]byte) *cachedCredential {
	m.mu.RLock()
	found, young := m.young[key]
	if !young {
		found = m.old[key]
	}
	m.mu.RUnlock()
	if !young && found != nil {
		m.add(key, found)
	}
	return found
}

func (m *credentialCache) add(key [sha256.Size]byte, c *cachedCredential) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.young[key]; !ok && len(m.young) >= m.half {
		m.young, m.old = make(map[[sha256.Size]byte]*cachedCredential), m.young
	}
	m.young[key] = c
}

func (m *credentialCache) drop(key [sha256.Size]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.young, key)
	delete(m.old, key)
}
