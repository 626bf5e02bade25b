//go:build !race

// The command line is read by one goroutine: nothing for the race detector to find.

package main

// `token verify` against a file of tokens with the verdict that each must get:
// jwt's own copy, or VECTORS=file of the same form.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

type vector struct {
	ID     string          `json:"id"`
	Token  string          `json:"token"`
	Keys   json.RawMessage `json:"keys"`
	Expect string          `json:"expect"`
	Why    string          `json:"why"`
	Claims map[string]any  `json:"expect_claims"`
	Asked  json.RawMessage `json:"options"`

	Options struct { // Asked, understood
		Algs      []string `json:"algs"`
		Issuer    string   `json:"iss"`
		Audience  string   `json:"aud"`
		Now       int64    `json:"now"`
		Leeway    int64    `json:"leeway"`
		Require   []string `json:"require"`
		Type      string   `json:"typ"`
		TokenType string   `json:"token_type"`
		MaxMS     int64    `json:"max_ms"` // checked in package jwt
	} `json:"-"`
}

// args returns the row as command line arguments.
func (v *vector) args(keys string) []string {
	o := v.Options
	args := []string{
		"token", "verify", "--key", keys, "--alg", strings.Join(o.Algs, ","),
		"--at", strconv.FormatInt(o.Now, 10), "--leeway", fmt.Sprintf("%ds", o.Leeway), "--require", strings.Join(o.Require, ","),
	}
	for flag, value := range map[string]string{"--issuer": o.Issuer, "--audience": o.Audience, "--typ": o.Type, "--token-type": o.TokenType} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	return append(args, "--", v.Token)
}

// wrong says how the command's result differs from the row's, or "".
func (v *vector) wrong(status int, stdout, stderr string) string {
	switch {
	case v.Expect == "valid" && status != statusDone:
		return fmt.Sprintf("status %d: %s", status, stderr)
	case v.Expect == "invalid" && status == statusDone:
		return "accepted"
	case status == statusDone && stderr != "", status != statusDone && stdout != "":
		return fmt.Sprintf("status %d with %q on standard output and %q on standard error", status, stdout, stderr)
	case status != statusDone:
		return ""
	}
	var claims map[string]any
	if err := json.Unmarshal([]byte(stdout), &claims); err != nil {
		return err.Error()
	}
	for name, want := range v.Claims {
		if fmt.Sprint(claims[name]) != fmt.Sprint(want) {
			return fmt.Sprintf("claim %s is %v, want %v", name, claims[name], want)
		}
	}
	return ""
}

func TestTokenVerifyVectors(t *testing.T) {
	if name := os.Getenv("VECTORS"); name != "" {
		checkVectors(t, name)
		return
	}
	for _, name := range []string{"attack_open.json", "own.json"} {
		checkVectors(t, filepath.FromSlash("../../jwt/testdata/vectors/"+name))
	}
}

func checkVectors(t *testing.T, name string) {
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Rows []vector }
	if err := json.Unmarshal(text, &file); err != nil || len(file.Rows) == 0 {
		t.Fatal(err, len(file.Rows))
	}
	keys := filepath.Join(t.TempDir(), "keys.json")
	checked, statuses := 0, map[int]int{}
	for i := range file.Rows {
		v := &file.Rows[i]
		if v.Expect == "either" {
			continue
		}
		checked++
		dec := json.NewDecoder(bytes.NewReader(v.Asked))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&v.Options); err != nil || v.Expect != "valid" && v.Expect != "invalid" {
			t.Errorf("%s: its options or %q are not understood: %v", v.ID, v.Expect, err)
			continue
		}
		if err := os.WriteFile(keys, fmt.Appendf(nil, `{"keys":%s}`, v.Keys), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr strings.Builder
		status := run(t.Context(), v.args(keys), nil, strings.NewReader(""), &stdout, &stderr)
		statuses[status]++
		if wrong := v.wrong(status, stdout.String(), stderr.String()); wrong != "" {
			t.Errorf("%s (expect %s): %s: %s", v.ID, v.Expect, wrong, v.Why)
		}
	}
	t.Logf("%s: %d checked rows of %d; %d accepted, %d refused, %d with an unusable key", name, checked, len(file.Rows), statuses[0], statuses[1], statuses[2])
}
