package main

// The secret and the signing key of a Django site.

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jotgate/jotgate/store"
)

// secretsAgree compares the secrets without showing them.
func (c *doctorCommand) secretsAgree(a *app, d dump) store.Fact {
	f := store.Fact{OK: true, About: "SECRET_KEY", Found: "the same on both sides"}
	ours, err := c.secretFlags.read(a, c.folder(), false)
	theirs, _ := d["SECRET_KEY"].(string)
	switch {
	case err != nil:
		f.OK, f.Found, f.Fix = false, "jotgate has none", "give jotgate the site's: SECRET_KEY in the environment"
	case theirs != string(ours):
		f.OK, f.Found, f.Fix = false, "another one than jotgate's", "give both the same: tokens, reset links and signing keys depend on it"
	}
	return f
}

func (d dump) algorithm() string { return fmt.Sprint(d.or("SIMPLE_JWT.ALGORITHM", "HS256")) }

// signingKey returns the flags and the file of the key that signs the site's
// tokens, if that is not SECRET_KEY with HS256. The file is beside config, the
// name of the config file to write; without one, the key is only described.
func (d dump) signingKey(config string) (wanted []proposal, files map[string][]byte, facts []store.Fact) {
	alg, key := d.algorithm(), fmt.Sprint(d.or("SIMPLE_JWT.SIGNING_KEY", d.or("SECRET_KEY", "")))
	if alg == "HS256" && key == fmt.Sprint(d.or("SECRET_KEY", "")) {
		return nil, nil, []store.Fact{{OK: true, About: "SIMPLE_JWT.ALGORITHM", Found: alg + ", with SECRET_KEY"}}
	}
	name, content := strings.TrimSuffix(config, ".yaml")+".signing-key.pem", []byte(key)
	if strings.HasPrefix(alg, "HS") {
		name = strings.TrimSuffix(name, ".pem") + ".json"
		content, _ = json.Marshal(map[string]string{"kty": "oct", "alg": alg, "k": base64.RawURLEncoding.EncodeToString([]byte(key))})
	}
	if config == "" {
		return nil, nil, []store.Fact{{About: "SIMPLE_JWT.SIGNING_KEY", Found: alg + ", with a key of its own", Fix: "start jotgate with --signing-key FILE; doctor --django --write makes the file"}}
	}
	wanted = []proposal{{"signing-key", name, "SIMPLE_JWT.SIGNING_KEY", alg + ", with a key of its own", ""}}
	if !strings.HasPrefix(alg, "HS") {
		wanted = append(wanted, proposal{"signing-algorithm", alg, "SIMPLE_JWT.ALGORITHM", alg, ""})
	}
	return wanted, map[string][]byte{name: content}, nil
}
