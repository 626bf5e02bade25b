package store

import (
	"context"
	"fmt"

	"github.com/jotgate/jotgate/record"
)

// factorFacts says who has which second factor, and how secrets are kept. It reads
// the table of users once.
func (s *Store) factorFacts(ctx context.Context, q Queryer, t *tables) (list []Fact, err error) {
	if len(t.user) == 0 {
		return nil, nil
	}
	if !t.factors {
		return []Fact{{
			OK: true, About: "mfa_authenticator", Found: "not there, or not of " + t.schema.Users,
			Fix: "nobody can have a second factor, and --require-mfa would let nobody in; run jotgate migrate",
		}}, nil
	}
	columns, err := s.driver.columnsOf(ctx, q, "jotgate_client")
	if err != nil {
		return nil, err
	}
	var n struct{ users, any, totp, passkeys, codes, without int }
	const has = "SELECT COUNT(DISTINCT user_id) FROM mfa_authenticator WHERE type "
	for _, count := range []struct {
		dest *int
		text string
	}{
		{&n.users, "SELECT COUNT(*) FROM " + quote(t.schema.Users)},
		{&n.any, has + "<> 'recovery_codes'"},
		{&n.totp, has + "= 'totp'"},
		{&n.passkeys, has + "= 'webauthn'"},
		{&n.codes, has + "= 'recovery_codes'"},
		{&n.without, t.staffWithoutFactor(len(columns) > 0)},
	} {
		if _, err := one(ctx, q, []any{count.dest}, count.text); err != nil {
			return nil, err
		}
	}
	f := Fact{OK: true, About: "second factors", Found: fmt.Sprintf("%d of %d users: %d with an authenticator app, %d with passkeys", n.any, n.users, n.totp, n.passkeys)}
	codes := Fact{OK: true, About: "recovery codes", Found: fmt.Sprintf("%d of %d users with a second factor", n.codes, n.any)}
	if n.codes < n.any {
		codes.Fix = "who has none needs jotgate user factors remove, or a reset by staff, after losing the device"
	}
	staff := Fact{OK: true, About: "staff without a second factor", Found: fmt.Sprint(n.without)}
	if n.without > 0 {
		staff.Fix = "--require-mfa=staff makes them set one up at the next login"
	}
	secrets, err := secretsFact(ctx, q, s)
	return append(list, f, codes, staff, secrets), err
}

// staffWithoutFactor counts the active staff and superusers without a second factor.
// Without clients, the table of service accounts is missing: before jotgate migrate.
func (t *tables) staffWithoutFactor(clients bool) string {
	active := t.isActive()
	if clients {
		active = t.activeOnly()
	}
	staff := "FALSE"
	for _, name := range []string{"is_staff", "is_superuser"} {
		if _, ok := t.user[name]; ok {
			staff += " OR COALESCE(u." + name + ", FALSE)"
		}
	}
	return "SELECT COUNT(*) FROM " + quote(t.schema.Users) + " AS u WHERE (" + staff + ")" + active +
		" AND NOT EXISTS (SELECT 1 FROM mfa_authenticator AS m WHERE m.user_id = u." + quote(t.schema.ID) + " AND m.type <> 'recovery_codes')"
}

// secretsFact says in which form the secrets of authenticator apps are stored.
func secretsFact(ctx context.Context, q Queryer, s *Store) (Fact, error) {
	f := Fact{
		OK: true, About: "mfa_authenticator", Found: "plain secrets, as allauth stores them",
		Fix: "who reads the table can compute codes; MFA_ADAPTER in docs/django.md reads sealed ones at Django",
	}
	columns, err := s.driver.columnsOf(ctx, q, "jotgate_setting")
	if err != nil || len(columns) == 0 {
		return Fact{OK: true, About: f.About, Found: "there"}, err // before jotgate migrate
	}
	sealed, err := one(ctx, q, []any{new(string)}, "SELECT value FROM jotgate_setting WHERE name = $1 AND value = $2", record.FactorFormat, record.FormatSealed)
	if sealed {
		f.Found, f.Fix = "secrets sealed with SECRET_KEY", ""
	}
	return f, err
}
