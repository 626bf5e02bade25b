package oauth

// Creating and changing clients.

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// Request describes a client to create. Name and Scopes are required.
type Request struct {
	Name   string   // the username of the service account: 1 to 100 alphanumeric characters and @ . + - _
	Scopes []string // 1 to 50
	// Keys are the public keys that verify the client's assertions (RFC 7523): a JWK Set,
	// a JWK or PEM. nil: the client gets a secret.
	Keys []byte
}

// Created is a new client, or one with a new secret.
type Created struct {
	Client
	// Secret is not stored and cannot be shown again. It is empty for a client with keys.
	Secret string `json:"client_secret,omitempty"`
}

// NewClient makes a client, for a program without a Gate, which adds it with
// Store.Create. The errors have the status 400 and name the field.
func NewClient(r Request, now time.Time) (c Created, err error) {
	if c.Name, err = nameOf(r.Name); err != nil {
		return c, err
	}
	if c.Scopes, err = form.Scopes(r.Scopes); err != nil {
		return c, err
	}
	c.ID, c.Session, c.Created = strings.ToLower(rand.Text()), newSession(), now.UTC().Truncate(time.Microsecond)
	if len(r.Keys) == 0 {
		c.Secret = newSecret()
		c.Client.Secret = digestOf(c.Secret)
		return c, nil
	}
	c.Keys, err = keysOf(r.Keys)
	return c, err
}

// Account returns the service account to create for a new client. It has no usable
// password.
func (c *Client) Account() *record.Account {
	return &record.Account{Username: c.Name, Password: passwd.Unusable(), IsActive: true, DateJoined: c.Created}
}

// ErrRotating rejects a new secret for a client that has two secrets already.
var ErrRotating = &jotgate.Error{
	Status: http.StatusConflict, Code: "client_rotating",
	Detail: "The client has two secrets already. Wait until the former one ends, or end it with the overlap 0.",
}

// After a rotation the former secret continues to work for MinOverlap to MaxOverlap, or
// not at all if the overlap is 0.
const (
	MaxOverlap = 30 * 24 * time.Hour
	MinOverlap = 10 * time.Minute
)

// Rotate gives the client a new secret and returns it, for a program without a Gate: it
// records no event. The current secret continues to work for overlap; if that is 0, no
// former secret works, and tokens that were issued are refused. Errors: 400, ErrRotating,
// jotgate.ErrNotFound, jotgate.ErrUnavailable.
func Rotate(ctx context.Context, store Store, id string, overlap time.Duration, now time.Time) (Created, error) {
	if overlap != 0 && (overlap < MinOverlap || overlap > MaxOverlap) {
		return Created{}, form.FieldError("overlap", fmt.Sprintf("Ensure this value is 0, or between %d and %d.", MinOverlap/time.Second, MaxOverlap/time.Second))
	}
	c, err := store.Find(ctx, id)
	if err != nil {
		return Created{}, err
	}
	if c.Method() == privateKey {
		return Created{}, form.FieldError("client_id", "The client has keys and no secret.")
	}
	secret := newSecret()
	digest := digestOf(secret)
	change := Change{Secret: &digest, FormerUntil: now.Add(overlap), Now: now}
	if overlap == 0 {
		change.Session = newSession()
	}
	if err := store.Change(ctx, id, change); err != nil {
		return Created{}, err
	}
	c.FormerUntil = now.Add(overlap)
	return Created{Client: *c, Secret: secret}, nil
}

// NewChange returns a Change of the scopes or the keys of a client, or one that disables
// or enables it. An argument that is nil changes nothing. Tokens that were issued are
// refused. The errors have the status 400 and name the field.
func NewChange(scopes []string, keys []byte, disabled *bool, now time.Time) (change Change, err error) {
	change = Change{Disabled: disabled, Session: newSession(), Now: now}
	if scopes != nil {
		if change.Scopes, err = form.Scopes(scopes); err != nil {
			return change, err
		}
	}
	if keys != nil {
		set, err := keysOf(keys)
		if err != nil {
			return change, err
		}
		change.Keys = &set
	}
	return change, nil
}

// Create creates a client and its service account. Errors: 400 with the field,
// jotgate.ErrTaken, jotgate.ErrUnavailable.
func (s *Server) Create(ctx context.Context, r Request, by jotgate.Client) (Created, error) {
	c, err := NewClient(r, s.now())
	if err == nil {
		err = s.recorded(ctx, "", "created "+c.ID, by, func(ctx context.Context) error { return s.store.Create(ctx, &c.Client, c.Account()) })
	}
	if err != nil {
		return Created{}, err
	}
	return c, nil
}

// List lists all clients in the order of their names, at most 1000.
func (s *Server) List(ctx context.Context) ([]Client, error) { return s.store.List(ctx) }

// Rotate does what the function Rotate does, and records an event. It takes effect on
// this node immediately and on the others within a second.
func (s *Server) Rotate(ctx context.Context, id string, overlap time.Duration, by jotgate.Client) (c Created, err error) {
	client, err := s.store.Find(ctx, id)
	if err != nil {
		return c, err
	}
	if err := s.recorded(ctx, client.User, "rotated "+id, by, func(ctx context.Context) (err error) {
		c, err = Rotate(ctx, s.store, id, overlap, s.now())
		return err
	}); err != nil {
		return c, err
	}
	s.sync(ctx)
	return c, nil
}

// Change changes a client, see NewChange. It takes effect on this node immediately and
// on the others within a second. Errors: jotgate.ErrNotFound, jotgate.ErrUnavailable.
func (s *Server) Change(ctx context.Context, id string, change Change, by jotgate.Client) error {
	c, err := s.store.Find(ctx, id)
	if err == nil {
		err = s.recorded(ctx, c.User, Describe(id, change), by, func(ctx context.Context) error { return s.store.Change(ctx, id, change) })
	}
	if err == nil {
		s.sync(ctx)
	}
	return err
}

// Describe returns record.Event.Detail for a change of the client id, for a program
// without a Gate.
func Describe(id string, change Change) string {
	switch {
	case change.Disabled != nil && *change.Disabled:
		return "disabled " + id
	case change.Disabled != nil:
		return "enabled " + id
	}
	return "changed " + id
}

// sync makes this node read the revocation list. If that fails, Gate.Run reads it.
func (s *Server) sync(ctx context.Context) {
	if err := s.gate.Sync(ctx); err != nil {
		s.gate.Settings().Logger.WarnContext(ctx, "revocations could not be read", "cause", err)
	}
}

// recorded makes a change, with its event. The user of a new client is set by the store.
func (s *Server) recorded(ctx context.Context, user record.UserID, detail string, by jotgate.Client, change func(ctx context.Context) error) error {
	return s.gate.Events().RecordWith(ctx, &record.Event{Name: "client", User: user, Detail: detail}, by, change)
}

func (s *Server) now() time.Time { return s.gate.Settings().Now() }

// secretPrefix begins every secret, so that a scanner finds one: jgs_ and 52 characters.
const secretPrefix = "jgs_"

// newSecret returns 260 random bits.
func newSecret() string { return secretPrefix + rand.Text() + rand.Text() }

// digestOf returns the digest that the store keeps of a secret. A fast hash is enough
// for 256 random bits.
func digestOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func newSession() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

var validName = regexp.MustCompile(`^[A-Za-z0-9@.+_-]+$`)

func nameOf(name string) (string, error) {
	if len(name) > 100 || !validName.MatchString(name) {
		return "", form.FieldError("name", "A name has 1 to 100 letters, digits and @ . + - _ characters.")
	}
	return name, nil
}

// keysOf returns public keys as a JWK Set.
func keysOf(document []byte) (string, error) {
	set, err := jwt.ParseKeySet(document, assertionAlgorithms...)
	if err == nil && len(set.Keys()) == 0 {
		err = fmt.Errorf("there is no public key for one of %v", assertionAlgorithms)
	}
	if err != nil {
		return "", form.FieldError("keys", "The keys are a JWK Set, a JWK or PEM with public keys: "+err.Error()+".")
	}
	text, err := set.MarshalJSON()
	if err == nil && len(text) > maxKeys {
		return "", form.FieldError("keys", fmt.Sprintf("Ensure the keys have no more than %d bytes.", maxKeys))
	}
	return string(text), err
}

// maxKeys limits a client's JWK Set, in bytes.
const maxKeys = 16 << 10

// assertionAlgorithms are those of assertions: asymmetric ones.
var assertionAlgorithms = []jwt.Algorithm{jwt.ES256, jwt.ES384, jwt.ES512, jwt.EdDSA, jwt.RS256, jwt.PS256}
