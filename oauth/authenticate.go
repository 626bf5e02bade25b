package oauth

// Client authentication: a secret in the header (client_secret_basic) or in the body
// (client_secret_post), or a signed assertion (private_key_jwt).

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// proof is how a request says which client it is from.
type proof struct {
	id        string
	secret    string
	assertion string // instead of a secret
}

// maxSecret limits a secret, in bytes, before it is hashed.
const maxSecret = 256

// proofOf returns the proof in a request. Exactly one method may be used (RFC 6749
// section 2.3).
func proofOf(c *Call) (p proof, err error) {
	id, secret := c.Form.Get("client_id"), c.Form.Get("client_secret")
	assertion, kind := c.Form.Get("client_assertion"), c.Form.Get("client_assertion_type")
	headers := c.Header.Values("Authorization")
	methods := 0
	for _, there := range []bool{len(headers) > 0, secret != "", assertion != "" || kind != ""} {
		if there {
			methods++
		}
	}
	switch {
	case methods > 1 || len(headers) > 1:
		return p, refuse(errRequest, "The client authenticates with more than one method.")
	case methods == 0:
		return p, refuse(errClient, "The client does not authenticate.")
	case secret != "":
		return proof{id: id, secret: secret}, nil
	case len(headers) == 0:
		return assertionProof(id, kind, assertion)
	}
	if p, err = basicProof(headers[0]); err == nil && id != "" && id != p.id {
		err = refuse(errRequest, "The parameter client_id is another client's.")
	}
	return p, err
}

// basicProof reads the header, both parts of which are form-encoded (RFC 6749 section
// 2.3.1).
func basicProof(header string) (p proof, err error) {
	scheme, encoded, _ := strings.Cut(header, " ")
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	id, secret, found := strings.Cut(string(text), ":")
	if !strings.EqualFold(scheme, "Basic") || err != nil || !found {
		return p, errClient.Because(errors.New("the header Authorization does not have the scheme Basic"))
	}
	for _, part := range []struct {
		text string
		into *string
	}{{id, &p.id}, {secret, &p.secret}} {
		if *part.into, err = url.QueryUnescape(part.text); err != nil {
			return p, errClient.Because(err)
		}
	}
	if p.secret == "" {
		err = errClient.Because(errors.New("the secret is empty"))
	}
	return p, err
}

// authenticate returns the client of a request, and the user that its tokens are of.
// Whatever is wrong with the proof, the error is errClient, after one
// look-up, and the event is the same.
func (s *Server) authenticate(ctx context.Context, c *Call) (user *jotgate.User, found *jotgate.Credential, err error) {
	if err := c.check(); err != nil {
		return nil, nil, err
	}
	p, err := proofOf(c)
	if err == nil {
		user, found, err = s.verify(ctx, c, p)
	}
	if errors.Is(err, errClient) { // not that of a request without credentials
		s.recordFailure(ctx, c, cmp.Or(p.id, c.Form.Get("client_id")))
	}
	return user, found, err
}

// recordFailure records that a client failed to authenticate. Its id may be unknown.
func (s *Server) recordFailure(ctx context.Context, c *Call, id string) {
	e := record.Event{Name: "login_failed", Detail: "client authentication failed"}
	if id != "" {
		e.Subject = s.gate.Events().Subject(id)
	}
	s.gate.Events().Record(ctx, e, c.Client)
}

// verify checks a proof.
func (s *Server) verify(ctx context.Context, c *Call, p proof) (*jotgate.User, *jotgate.Credential, error) {
	user, found, err := s.gate.Logins().Resolve(ctx, &lookup{s, c, p}, p.text())
	if err == nil && p.assertion != "" {
		err = s.acceptAssertion(ctx, c, p, found)
	}
	if err != nil {
		return nil, nil, clientError(err)
	}
	return user, found, nil
}

// clientError returns errClient for other errors with its status, such as that of an
// account that is inactive.
func clientError(err error) error {
	if e := jotgate.AsError(err); e.Status == http.StatusUnauthorized && e.Code != errClient.Code {
		return errClient.Because(err)
	}
	return err
}

// text names the credential in the cache of the gate. No two proofs have the same, other
// than the assertions of one client, each of which is verified.
func (p *proof) text() string {
	if p.assertion != "" {
		return "client-keys " + p.id
	}
	return "client-secret " + strconv.Itoa(len(p.id)) + " " + p.id + " " + p.secret
}

// lookup loads the client of a request. It is a jotgate.CredentialSource that the gate
// does not accept: a secret opens nothing but the endpoints of this package.
type lookup struct {
	server *Server
	call   *Call
	proof  proof
}

// Accepts implements jotgate.CredentialSource.
func (*lookup) Accepts(_, _ string) bool { return false }

// Admit implements jotgate.CredentialSource.
func (*lookup) Admit(*http.Request, *jotgate.Credential) error { return errClient }

// Load implements jotgate.CredentialSource. It compares secrets in constant time.
func (l *lookup) Load(ctx context.Context, _ string, now time.Time) (c jotgate.Credential, err error) {
	if l.call.Limit != nil {
		if err := l.call.Limit(); err != nil {
			return c, err
		}
	}
	client, err := l.server.store.Find(ctx, l.proof.id)
	if errors.Is(err, jotgate.ErrNotFound) {
		client, err = &Client{Disabled: now}, nil
	}
	if err != nil {
		return c, err
	}
	ends, ok := client.accepts(&l.proof, now)
	if !ok || !client.Disabled.IsZero() {
		return c, errClient.Because(errors.New("the client is unknown or disabled, or has another secret or method"))
	}
	c = jotgate.Credential{ID: client.ID, Owner: client.User, Session: client.Session, Scopes: client.Scopes, Expires: ends}
	if l.proof.assertion != "" {
		c.Detail, err = newAssertions(client.Keys, l.server.now)
	}
	return c, err
}

// accepts reports whether the client has this secret, and until when, or authenticates
// with assertions, which are verified later.
func (c *Client) accepts(p *proof, now time.Time) (ends time.Time, ok bool) {
	if p.assertion != "" {
		return time.Time{}, c.Method() == privateKey
	}
	digest := []byte(digestOf(p.secret[:min(len(p.secret), maxSecret)]))
	current := subtle.ConstantTimeCompare(digest, []byte(c.Secret))
	former := subtle.ConstantTimeCompare(digest, []byte(c.FormerSecret))
	switch {
	case len(p.secret) > maxSecret || c.Method() == privateKey:
		return ends, false
	case current == 1:
		return ends, true
	}
	return c.FormerUntil, former == 1 && now.Before(c.FormerUntil)
}
