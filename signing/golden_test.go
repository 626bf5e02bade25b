package signing

// What Django recorded: uids, base 36, reset tokens, signatures.

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type recording struct {
	SecretKey string `json:"SECRET_KEY"`
	UID       []struct {
		PK  any
		UID string
	} `json:"uid"`
	UIDDecode []struct {
		UID   string
		Bytes *string // each byte a character
	} `json:"uid_decode"`
	Base36 []struct {
		N int64
		S string
	} `json:"base36"`
	Reset []struct {
		User struct {
			ID        int
			Email     string
			Password  string
			LastLogin string `json:"last_login"`
		}
		Timestamp int64 `json:"timestamp_since_2001"`
		Token     string
	} `json:"reset_tokens"`
	HMAC    []struct{ Salt, Value, Alg, Hex string } `json:"salted_hmac"`
	Session []struct{ Password, Hash string }        `json:"session_auth_hash"`
	Signer  []struct {
		Kind, Signed string
		Value        any
		Time         int64
	} `json:"signer"`
}

// goldenFiles returns the recordings: those in testdata or, when the environment
// variable GOLDEN names a folder, those in it and in its subfolder data.
func goldenFiles(t *testing.T) []string {
	t.Helper()
	folders := []string{"testdata"}
	if other := os.Getenv("GOLDEN"); other != "" {
		folders = []string{other, filepath.Join(other, "data")}
	}
	var files []string
	for _, folder := range folders {
		found, err := filepath.Glob(filepath.Join(folder, "auth_*.json"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 && os.Getenv("GOLDEN") == "" {
		t.Fatalf("no auth_*.json in %v", folders)
	}
	if len(files) == 0 {
		t.Logf("nothing to compare: no auth_*.json in %v", folders)
	}
	return files
}

func TestGoldenSigning(t *testing.T) {
	for _, file := range goldenFiles(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r recording
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		keys, err := New(r.SecretKey)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Run("uid", func(t *testing.T) { goldenUID(t, r) })
			t.Run("reset", func(t *testing.T) { goldenReset(t, keys, r) })
			t.Run("hmac", func(t *testing.T) { goldenHMAC(t, keys, r) })
			t.Run("signer", func(t *testing.T) { goldenSigner(t, r) })
		})
	}
}

func goldenUID(t *testing.T, r recording) {
	if len(r.UID)*len(r.UIDDecode)*len(r.Base36) == 0 {
		t.Error("nothing recorded")
	}
	for _, c := range r.UID {
		id := fmt.Sprint(c.PK)
		if f, number := c.PK.(float64); number {
			id = strconv.FormatInt(int64(min(f, 1<<62)), 10)
			if f >= 1<<62 { // JSON numbers lose digits in a float64
				id = strconv.FormatInt(1<<63-1, 10)
			}
		}
		if got := EncodeUID(id); got != c.UID {
			t.Errorf("EncodeUID(%q) = %q, recorded %q", id, got, c.UID)
		}
		if got, err := DecodeUID(c.UID); got != id || err != nil {
			t.Errorf("DecodeUID(%q) = %q, %v, recorded %q", c.UID, got, err, id)
		}
	}
	for _, c := range r.UIDDecode {
		got, err := DecodeUID(c.UID)
		if (err == nil) != (c.Bytes != nil) {
			t.Errorf("DecodeUID(%q) = %q, %v, recorded %v", c.UID, got, err, c.Bytes)
		}
		if c.Bytes != nil && latin1(got) != *c.Bytes {
			t.Errorf("DecodeUID(%q) = %q, recorded %q", c.UID, latin1(got), *c.Bytes)
		}
	}
	for _, c := range r.Base36 {
		if got := strconv.FormatInt(c.N, 36); got != c.S {
			t.Errorf("%d in base 36 = %q, recorded %q", c.N, got, c.S)
		}
	}
}

func latin1(s string) string {
	var out strings.Builder
	for _, b := range []byte(s) {
		out.WriteRune(rune(b))
	}
	return out.String()
}

var year2001 = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

func goldenReset(t *testing.T, keys *Keys, r recording) {
	if len(r.Reset) == 0 {
		t.Error("nothing recorded")
	}
	tokens := ResetTokens{Keys: keys}
	for i, c := range r.Reset {
		a := Account{ID: strconv.Itoa(c.User.ID), Password: c.User.Password, Email: c.User.Email}
		if c.User.LastLogin != "" {
			var err error
			if a.LastLogin, err = lastLogin(c.User.LastLogin); err != nil {
				t.Fatal(err)
			}
		}
		at := year2001.Add(time.Duration(c.Timestamp) * time.Second)
		if got := tokens.Make(a, at); got != c.Token {
			t.Errorf("%d: token %q, recorded %q", i, got, c.Token)
		}
		if !tokens.Check(a, c.Token, at.Add(ResetTimeout)) {
			t.Errorf("%d: recorded token %q is refused", i, c.Token)
		}
		if tokens.Check(a, c.Token, at.Add(ResetTimeout+time.Second)) {
			t.Errorf("%d: recorded token %q is accepted a second too late", i, c.Token)
		}
	}
}

// lastLogin reads the forms in which the recordings have it.
func lastLogin(text string) (at time.Time, err error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999-07:00", "2006-01-02 15:04:05.999999", "2006-01-02T15:04:05.999999"} {
		if at, err = time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return at, err
}

// recordersKey is what the recorder passed as the key for salted_hmac and the
// signers, instead of its SECRET_KEY.
const recordersKey = "SECRET"

func goldenHMAC(t *testing.T, keys *Keys, r recording) {
	if len(r.HMAC)*len(r.Session) == 0 {
		t.Error("nothing recorded")
	}
	hashes := map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New}
	for _, c := range r.HMAC {
		if hashes[c.Alg] == nil {
			t.Errorf("salted_hmac: this is not understood: algorithm %q", c.Alg)
			continue
		}
		if got := hex.EncodeToString(SaltedHMAC(hashes[c.Alg], c.Salt, c.Value, recordersKey)); got != c.Hex {
			t.Errorf("%s of %q, %q = %s, recorded %s", c.Alg, c.Salt, c.Value, got, c.Hex)
		}
	}
	for _, c := range r.Session {
		if got := keys.SessionHash(c.Password); got != c.Hash || !keys.CheckSessionHash(c.Password, c.Hash) {
			t.Errorf("session hash %s, recorded %s", got, c.Hash)
		}
	}
}

func goldenSigner(t *testing.T, r recording) {
	keys, err := New(recordersKey)
	if err != nil {
		t.Fatal(err)
	}
	plain, timed, object := keys.Signer("django.core.signing.Signer"), keys.Signer("django.core.signing.TimestampSigner"), keys.Signer("django.core.signing")
	for _, c := range r.Signer {
		text, _ := c.Value.(string)
		at := time.Unix(c.Time, 0)
		var got string
		var back any
		var err, errBack error
		switch c.Kind {
		case "Signer":
			got = plain.Sign(text)
			back, errBack = plain.Unsign(c.Signed)
		case "TimestampSigner":
			got = timed.SignAt(text, at)
			back, errBack = timed.UnsignAt(c.Signed, at, time.Second)
		case "dumps":
			got, err = object.Dumps(c.Value, false, at)
			errBack = object.Loads(c.Signed, &back, at, time.Second)
		case "dumps compress":
			got = c.Signed // two implementations of zlib write different bytes
			errBack = object.Loads(c.Signed, &back, at, time.Second)
		default:
			t.Fatalf("unknown kind %q", c.Kind)
		}
		if got != c.Signed || err != nil {
			t.Errorf("%s of %v = %q, %v, recorded %q", c.Kind, c.Value, got, err, c.Signed)
		}
		if diff := cmp.Diff(c.Value, back); diff != "" || errBack != nil {
			t.Errorf("%s %q read back: %v\n%s", c.Kind, c.Signed, errBack, diff)
		}
	}
	if len(r.Signer) == 0 {
		t.Error("nothing recorded")
	}
}
