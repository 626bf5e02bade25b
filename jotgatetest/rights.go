package jotgatetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"database/sql"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// ES256 is a change for New: the gate signs with a private key instead of the
// secret, so that Guards elsewhere can verify with its public key.
func ES256(s *jotgate.Settings) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("jotgatetest: " + err.Error()) // rand.Reader never fails
	}
	key, err := jwt.NewKey(jwt.ES256, private)
	if err != nil {
		panic("jotgatetest: " + err.Error()) // unreachable: a P-256 key is one for ES256
	}
	s.SigningKey = key.WithID(key.Thumbprint())
}

// NewGuard returns a Guard that accepts this gate's access tokens, as one in
// another service does: with the gate's public keys, or with its secret if there
// are none (see ES256). It has the gate's clock.
func (g *Gate) NewGuard(changes ...func(*jotgate.GuardSettings)) *jotgate.Guard {
	g.t.Helper()
	filled := g.Settings()
	keys := g.Keys().Public()
	if len(keys) == 0 {
		secret, err := jwt.NewHMAC(jwt.HS256, []byte(filled.SecretKey))
		check(g.t, err)
		keys = append(keys, secret)
	}
	set, err := jwt.NewKeySet(keys...)
	check(g.t, err)
	s := jotgate.GuardSettings{
		Keys: set, Issuer: filled.Issuer, Audience: filled.Audience, Leeway: filled.Leeway, HeaderTypes: filled.HeaderTypes,
		HeaderName: filled.HeaderName, UserIDClaim: filled.UserIDClaim, Logger: filled.Logger, Now: g.Clock.Now,
	}
	for _, change := range changes {
		change(&s)
	}
	guard, err := jotgate.NewGuard(s)
	check(g.t, err)
	return guard
}

// AddToGroup makes the user a member of the groups; those that do not exist are
// created. RequireRole knows the first group by the role in each token; for the
// others, the gate needs "groups" in Settings.Claims, as in production.
func (g *Gate) AddToGroup(user *record.Account, groups ...string) {
	g.t.Helper()
	db := g.Store().(*store.Store)
	known := map[string]bool{}
	existing, err := db.Groups().List(g.t.Context())
	check(g.t, err)
	for _, group := range existing {
		known[group.Name] = true
	}
	for _, name := range groups {
		if !known[name] {
			_, err := db.Groups().Create(g.t.Context(), name)
			check(g.t, err)
			known[name] = true
		}
		check(g.t, db.Groups().AddMember(g.t.Context(), user.ID, name))
	}
}

// Grant gives the user permissions directly ("blog.add_post"); those that do
// not exist are created. The gate needs "permissions" in Settings.Claims, as in
// production.
func (g *Gate) Grant(user *record.Account, permissions ...string) {
	g.t.Helper()
	for _, permission := range permissions {
		g.createPermission(permission)
		check(g.t, g.Store().(*store.Store).Permissions().GrantToAccount(g.t.Context(), user.ID, permission))
	}
}

// createPermission inserts the row that Django's migrations make for each model.
func (g *Gate) createPermission(permission string) {
	g.t.Helper()
	app, codename, ok := strings.Cut(permission, ".")
	if !ok {
		g.t.Fatalf("jotgatetest: %q is not a permission such as blog.add_post", permission)
	}
	db, err := sql.Open("sqlite", g.file)
	check(g.t, err)
	defer func() { check(g.t, db.Close()) }()
	_, err = db.ExecContext(g.t.Context(), "INSERT INTO django_content_type (app_label, model) VALUES ($1, 'jotgatetest') ON CONFLICT DO NOTHING", app)
	check(g.t, err)
	_, err = db.ExecContext(g.t.Context(), `INSERT INTO auth_permission (content_type_id, codename, name)
SELECT c.id, $2, $2 FROM django_content_type AS c WHERE c.app_label = $1 AND c.model = 'jotgatetest' AND NOT EXISTS
(SELECT 1 FROM auth_permission AS p JOIN django_content_type AS t ON t.id = p.content_type_id WHERE t.app_label = $1 AND p.codename = $2)`, app, codename)
	check(g.t, err)
}
