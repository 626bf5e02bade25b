package oauth

// Signed assertions of clients (RFC 7523).

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const (
	// maxAssertion is how long an assertion may be valid.
	maxAssertion = 5 * time.Minute
	// assertionLeeway is by how much the clock of a client may be wrong.
	assertionLeeway = 30 * time.Second
)

// assertionProof reads which client an assertion is of: its sub, which is verified with
// the keys of that client. client_id is optional and must be the same.
func assertionProof(id, kind, assertion string) (p proof, err error) {
	if kind != assertionType || assertion == "" {
		return p, refuse(errRequest, "client_assertion_type must be "+assertionType+", and client_assertion an assertion.")
	}
	_, claims, err := jwt.DecodeUnverified(assertion)
	if err != nil {
		return p, errClient.Because(err)
	}
	raw, _ := claims.Member("sub")
	sub, ok := raw.Text()
	if !ok || sub == "" {
		return p, errClient.Because(errors.New("the assertion has no sub"))
	}
	if id != "" && id != sub {
		return p, refuse(errRequest, "The parameter client_id is another client's.")
	}
	return proof{id: sub, assertion: assertion}, nil
}

// assertions verifies the assertions of one client.
type assertions = jwt.Verifier[struct{}]

// newAssertions returns the verifier for a JWK Set. Each key verifies one algorithm.
func newAssertions(set string, now func() time.Time) (*assertions, error) {
	keys, err := jwt.ParseKeySet([]byte(set), assertionAlgorithms...)
	if err != nil {
		return nil, jotgate.ErrUnavailable.Because(err)
	}
	return jwt.NewVerifier[struct{}](keys, jwt.Rules{
		InsecureAnyAudience: true, // acceptAssertion compares it
		Leeway:              assertionLeeway, Now: now, Require: []string{"iss", "sub", "aud", "jti"},
	})
}

// acceptAssertion verifies an assertion, and records its jti, which can be used once
// (RFC 7523 section 3).
func (s *Server) acceptAssertion(ctx context.Context, c *Call, p proof, found *jotgate.Credential) error {
	t, err := found.Detail.(*assertions).Verify(p.assertion)
	if err != nil {
		return errClient.Because(err)
	}
	expires := time.Unix(t.ExpiresAt, 0)
	switch {
	case t.Subject != p.id || t.Issuer != p.id:
		return errClient.Because(errors.New("iss and sub of the assertion are not the client_id"))
	case !slices.ContainsFunc(t.Audience(), func(name string) bool { return slices.Contains(c.Audience, name) }):
		return errClient.Because(errors.New("aud of the assertion is neither the issuer nor an endpoint"))
	case expires.After(s.now().Add(maxAssertion + assertionLeeway)):
		return errClient.Because(errors.New("the assertion is valid for more than 5 minutes"))
	}
	sum := sha256.Sum256([]byte(p.id + "\x00" + t.ID))
	err = s.store.Spend(ctx, "assertion "+hex.EncodeToString(sum[:]), expires.Add(assertionLeeway+time.Second))
	if errors.Is(err, jotgate.ErrTaken) {
		return errClient.Because(errors.New("the assertion was used before"))
	}
	return err
}
