package api

// The recorded Django settings in jotgate's names, and the database to begin with.

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/passwd"
)

// base is what a group lays over the defaults of Django's packages, as far as it
// is understood. What the replay need not read is told, but ignored.
type base struct {
	JWT struct {
		Rotate      bool          `json:"ROTATE_REFRESH_TOKENS"`
		Audience    string        `json:"AUDIENCE"`
		Issuer      string        `json:"ISSUER"`
		Leeway      int           `json:"LEEWAY"`
		HeaderTypes []string      `json:"AUTH_HEADER_TYPES"`
		HeaderName  string        `json:"AUTH_HEADER_NAME"`
		UserIDField string        `json:"USER_ID_FIELD"`
		UserIDClaim string        `json:"USER_ID_CLAIM"`
		CheckRevoke bool          `json:"CHECK_REVOKE_TOKEN"`
		Algorithm   jwt.Algorithm `json:"ALGORITHM"`
		SigningKey  string        `json:"SIGNING_KEY"`
		LastLogin   bool          `json:"UPDATE_LAST_LOGIN"`
		Serializer  string        `json:"TOKEN_OBTAIN_SERIALIZER"`
		VerifyKey   ignored       `json:"VERIFYING_KEY"`            // SigningKey's own
		Blacklist   ignored       `json:"BLACKLIST_AFTER_ROTATION"` // jotgate always does
	} `json:"SIMPLE_JWT"`
	Djoser struct {
		HideUsers            *bool `json:"HIDE_USERS"`
		SendActivation       bool  `json:"SEND_ACTIVATION_EMAIL"`
		SendConfirmation     bool  `json:"SEND_CONFIRMATION_EMAIL"`
		PasswordChanged      bool  `json:"PASSWORD_CHANGED_EMAIL_CONFIRMATION"`
		UsernameChanged      bool  `json:"USERNAME_CHANGED_EMAIL_CONFIRMATION"`
		CreateRetype         bool  `json:"USER_CREATE_PASSWORD_RETYPE"`
		SetPasswordRetype    bool  `json:"SET_PASSWORD_RETYPE"`
		ResetConfirmRetype   bool  `json:"PASSWORD_RESET_CONFIRM_RETYPE"`
		SetUsernameRetype    bool  `json:"SET_USERNAME_RETYPE"`
		UsernameResetRetype  bool  `json:"USERNAME_RESET_CONFIRM_RETYPE"`
		ShowEmailNotFound    bool  `json:"PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND"`
		ShowEmailNotFoundToo bool  `json:"USERNAME_RESET_SHOW_EMAIL_NOT_FOUND"`
		// A changed password ends jotgate's sessions in any case.
		Logout ignored `json:"LOGOUT_ON_PASSWORD_CHANGE"`
	} `json:"DJOSER"`
	Throttle struct {
		Classes ignored           `json:"DEFAULT_THROTTLE_CLASSES"` // their scopes are in the rates
		Rates   map[string]string `json:"DEFAULT_THROTTLE_RATES"`
	} `json:"_throttle"`
	Auth     []string `json:"_auth"`
	DropApps ignored  `json:"_drop_apps"` // jotgate's sessions are its own
}

type ignored = json.RawMessage

// understand reads OverBase. A setting that is not in base is an error: the
// answers may depend on it.
func (g *group) understand() error {
	dec := json.NewDecoder(strings.NewReader(cmp.Or(string(g.Settings.OverBase), "{}")))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&g.base); err != nil {
		return fmt.Errorf("its settings are not understood: over_base: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(g.base.Throttle.Rates)) {
		if name != "anon" && name != "user" {
			return fmt.Errorf("its settings are not understood: a throttle %q", name)
		}
	}
	return nil
}

// stateless reports whether the views behind the gate read no account.
func (g *group) stateless() bool {
	return len(g.base.Auth) == 1 && strings.HasSuffix(g.base.Auth[0], ".JWTStatelessUserAuthentication")
}

// iterations is what the replay hashes with: Django's million and a half would
// take an hour. show_user compares with it in place of the recorded number.
const iterations = "1200"

func (g *group) gateSettings(now func() time.Time) (jotgate.Settings, error) {
	hasher, err := passwd.New("pbkdf2_sha256:" + iterations)
	if err != nil {
		return jotgate.Settings{}, err
	}
	b := &g.base.JWT
	s := jotgate.Settings{
		SecretKey:            jotgate.Secret(g.Settings.SecretKey),
		Hasher:               hasher,
		KeepRefreshTokens:    !b.Rotate,
		RefreshGrace:         -1, // Django has none
		Claims:               []string{},
		ImmediateEmailChange: g.immediate,
		EmailLimit:           -1,
		HeaderTypes:          []string{"Bearer"},
		Issuer:               b.Issuer,
		Leeway:               time.Duration(b.Leeway) * time.Second,
		UserIDField:          b.UserIDField,
		UserIDClaim:          b.UserIDClaim,
		CheckRevokeToken:     b.CheckRevoke,
		UpdateLastLogin:      b.LastLogin,
		Logger:               slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now:                  now,
	}
	if b.HeaderTypes != nil {
		s.HeaderTypes = b.HeaderTypes
	}
	if b.Audience != "" {
		s.Audience = []string{b.Audience}
	}
	if name, ok := strings.CutPrefix(b.HeaderName, "HTTP_"); ok {
		s.HeaderName = strings.ReplaceAll(name, "_", "-")
	}
	if b.SigningKey != "" {
		s.SigningKey, err = jwt.ParseKey([]byte(b.SigningKey), b.Algorithm)
	}
	if b.Serializer != "" {
		s.Claims = []string{"username", "email", "role"}
	}
	return s, err
}

func (g *group) apiSettings() Settings {
	d := &g.base.Djoser
	s := Settings{
		BaseURL:                                "http://testserver",
		Rates:                                  map[string]string{"login": "", "register": "", "email": ""},
		InsecureShowUsers:                      d.HideUsers != nil && !*d.HideUsers,
		SendActivationEmail:                    d.SendActivation,
		SendConfirmationEmail:                  d.SendConfirmation,
		PasswordChangedEmail:                   d.PasswordChanged,
		UsernameChangedEmail:                   d.UsernameChanged,
		UserCreatePasswordRetype:               d.CreateRetype,
		SetPasswordRetype:                      d.SetPasswordRetype,
		PasswordResetConfirmRetype:             d.ResetConfirmRetype,
		SetUsernameRetype:                      d.SetUsernameRetype,
		UsernameResetConfirmRetype:             d.UsernameResetRetype,
		InsecurePasswordResetShowEmailNotFound: d.ShowEmailNotFound,
		InsecureUsernameResetShowEmailNotFound: d.ShowEmailNotFoundToo,
	}
	for scope, rate := range g.base.Throttle.Rates {
		s.Rates[scope] = rate
	}
	return s
}

// template is the database that each case gets a copy of.
type template struct{ content []byte }

func newTemplate(t *testing.T, folder string) *template {
	var people struct {
		Users []struct {
			ID              int64
			Username, Email string
			FirstName       string `json:"first_name"`
			LastName        string `json:"last_name"`
			IsActive        bool   `json:"is_active"`
			IsStaff         bool   `json:"is_staff"`
			IsSuperuser     bool   `json:"is_superuser"`
			Password        *string
		}
	}
	load(t, fixtures(t, folder), &people)
	file := filepath.Join(tempdir.New(t), "template.db")
	sqlitetest.Migrate(t, file)
	db := backdoor(t, file)
	hasher, _ := passwd.New("pbkdf2_sha256:" + iterations)
	for _, u := range people.Users {
		encoded := passwd.Unusable()
		if u.Password != nil {
			encoded, _ = hasher.Make(*u.Password)
		}
		must(t, db, `INSERT INTO auth_user (id, username, email, first_name, last_name, is_active, is_staff, is_superuser, password, date_joined)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '2024-01-02 03:04:05')`,
			u.ID, u.Username, u.Email, u.FirstName, u.LastName, u.IsActive, u.IsStaff, u.IsSuperuser, encoded)
	}
	tables, err := os.ReadFile(filepath.Join("testdata", "token_blacklist.sql"))
	if err != nil {
		t.Fatal(err)
	}
	must(t, db, string(tables))
	must(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return &template{content}
}

// fixtures finds the users that every case begins with: beside the groups, or one
// folder further up. Recordings that come without have those of testdata.
func fixtures(t *testing.T, folder string) string {
	for _, up := range []string{"", ".."} {
		file := filepath.Join(folder, up, "fixtures.json")
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	t.Logf("no fixtures.json in %s: taking the users of api/testdata/golden", folder)
	return filepath.Join("testdata", "golden", "fixtures.json")
}

// backdoor opens the database behind jotgate's back, as Django would.
func backdoor(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(180000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func must(t *testing.T, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
