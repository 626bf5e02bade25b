// Package recovery implements recovery codes: a user who has lost a second factor
// presents one in its place, and each code works once.
//
// The two calls to make are [NewCodes], when the codes are created, and Data.Find,
// when a user has typed one. The caller hashes and stores the codes:
//
//	codes := recovery.NewCodes()    // to be shown once
//	data := recovery.Hashed(hashes) // of the codes, in order; data.String() is to be stored
//
//	i, ok := data.Find("3-K7QF4-9XW2M", check) // later; check compares a code with a hash
//	data = data.Use(i)                         // to be stored before the login succeeds
//
// Hashed is the safe choice: the codes cannot be read from the table. Data is in
// django-allauth's table mfa_authenticator. [Seeded] makes the form that allauth also
// reads, but whose codes can be computed from the row; encrypt that if possible.
//
// A code has 50 random bits, which is enough only if the number of attempts is
// limited. Limiting it is left to the caller, and so is making sure that only one of
// several concurrent requests can use a code. The functions may be called
// concurrently. The package does not depend on the rest of jotgate.
package recovery

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Count is the number of codes that a user gets.
const Count = 10

// alphabet is Crockford's base32, without I, L, O and U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeLength is the number of characters of a code after the digit that says
// which of the codes it is: 50 random bits.
const codeLength = 10

// NewCodes returns Count new codes for Hashed. Each has 11 characters of Crockford's
// base32. The first one is the number of the code, from 0, so that only one hash is
// computed to check a code; the others are random. Show makes them readable.
func NewCodes() []string {
	codes := make([]string, Count)
	for i := range codes {
		var b [codeLength]byte
		_, _ = rand.Read(b[:]) // never returns an error since Go 1.24: it stops the program
		for j := range b {
			b[j] = alphabet[b[j]%32]
		}
		codes[i] = string(alphabet[i]) + string(b[:])
	}
	return codes
}

// Show returns a code of NewCodes in the form in which people read it, such as
// 3-K7QF4-9XW2M. It returns any other code, such as one of allauth, unchanged.
func Show(code string) string {
	if len(code) != codeLength+1 {
		return code
	}
	return code[:1] + "-" + code[1:6] + "-" + code[6:]
}

var lookAlikes = strings.NewReplacer(" ", "", "-", "", "\u00b7", "", "\u2013", "", "O", "0", "I", "1", "L", "1")

// Normalize returns a typed code in the form of NewCodes: without spaces, hyphens,
// en dashes and middle dots, in upper case, and with the digits 0 and 1 in place of O,
// I and L, which look like them. It accepts any text, and does not check it.
func Normalize(typed string) string {
	return lookAlikes.Replace(strings.ToUpper(typed))
}

// Data is what is stored about a user's recovery codes: the JSON object in the column
// data of allauth's table mfa_authenticator. Create it with Hashed, Seeded or
// ParseData; the zero value must not be used. Its methods do not change it.
type Data struct {
	Hashes   []string // of the codes, in the order of their numbers; empty: the codes are in allauth's form
	seed     string
	migrated []string // codes that allauth has taken over from another package
	used     uint64   // one bit for each code, from the lowest
	other    map[string]json.RawMessage
}

// Hashed returns the data of new codes, of which hashes are the hashes of the codes of
// NewCodes, in the same order. django-allauth reads such a row as one without codes.
func Hashed(hashes []string) Data { return Data{Hashes: hashes} }

// Seeded returns the data of new codes in the form of allauth, and the codes: eight
// digits each, derived from a random seed in the data.
func Seeded() (Data, []string) {
	var b [40]byte
	_, _ = rand.Read(b[:])
	d := Data{seed: fmt.Sprintf("%x", b)}
	return d, d.codes()
}

// ParseData reads the JSON object of a row, in any of the forms. The error says what is
// wrong with it, without its values.
func ParseData(text string) (d Data, err error) {
	var known struct {
		Hashes   []string `json:"hashes"`
		Seed     string   `json:"seed"`
		Migrated []string `json:"migrated_codes"`
		Used     uint64   `json:"used_mask"`
	}
	if err := json.Unmarshal([]byte(text), &d.other); err != nil {
		return d, errors.New("recovery: the data is not a JSON object")
	}
	if err := json.Unmarshal([]byte(text), &known); err != nil {
		return d, errors.New("recovery: a member of the data has the wrong type")
	}
	if len(known.Hashes) > Count || len(known.Migrated) > 1000 {
		return d, errors.New("recovery: the data has too many codes")
	}
	d.Hashes, d.seed, d.migrated, d.used = known.Hashes, known.Seed, known.Migrated, known.Used
	if len(d.Hashes) > 0 {
		d.migrated = nil // it is empty, for allauth
	}
	if len(d.Hashes) == 0 && d.seed == "" && d.migrated == nil {
		return d, errors.New("recovery: the data has no codes")
	}
	return d, nil
}

// String returns the JSON object to store. It has every member of the object that
// ParseData has read, also those that this package does not know.
func (d Data) String() string {
	members := d.members()
	for name, raw := range d.other {
		if _, own := members[name]; !own {
			members[name] = raw
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic("recovery: " + err.Error()) // unreachable: each member is valid JSON
	}
	return string(text)
}

// members returns the members that this package knows.
func (d Data) members() map[string]any {
	switch {
	case len(d.Hashes) > 0:
		// allauth finds no code in an empty list. Without one it would look for a seed,
		// and respond to every wrong code with an error 500.
		return map[string]any{"hashes": d.Hashes, "used_mask": d.used, "migrated_codes": []string{}}
	case d.migrated != nil:
		return map[string]any{"migrated_codes": d.migrated}
	default:
		return map[string]any{"seed": d.seed, "used_mask": d.used}
	}
}

// Left returns the number of unused codes.
func (d Data) Left() int {
	if d.migrated != nil {
		return len(d.migrated)
	}
	n := Count
	if len(d.Hashes) > 0 {
		n = len(d.Hashes)
	}
	return n - bits.OnesCount64(d.used&(1<<n-1))
}

// Find looks for a typed code among the unused ones. ok reports whether it is one, and
// index is its number, for Use. check reports whether a normalized code matches a hash;
// it is called at most once, and not at all without Hashes. In that case the codes are
// compared in constant time.
func (d Data) Find(typed string, check func(code, hash string) bool) (index int, ok bool) {
	code := Normalize(typed)
	if len(d.Hashes) > 0 {
		return d.findHashed(code, check)
	}
	index = -1
	for i, want := range d.codes() {
		if subtle.ConstantTimeCompare([]byte(Normalize(want)), []byte(code)) == 1 && !d.isUsed(i) {
			index = i
		}
	}
	return index, index >= 0
}

// findHashed is Find for hashed codes: the first character says which one it is.
func (d Data) findHashed(code string, check func(code, hash string) bool) (index int, ok bool) {
	if len(code) != codeLength+1 {
		return 0, false
	}
	index = strings.IndexByte(alphabet, code[0])
	if index < 0 || index >= len(d.Hashes) || d.isUsed(index) {
		return 0, false
	}
	return index, check(code, d.Hashes[index])
}

// isUsed reports whether a code was used. Used migrated codes are removed.
func (d Data) isUsed(index int) bool { return d.migrated == nil && d.used>>index&1 == 1 }

// Use returns the data to store after the code with this number, as Find returned it,
// was used.
func (d Data) Use(index int) Data {
	if d.migrated != nil {
		d.migrated = slices.Delete(slices.Clone(d.migrated), index, index+1)
		return d
	}
	d.used |= 1 << index
	return d
}

// codes returns the codes in allauth's form: migrated ones, or Count codes of
// eight digits derived from the seed, as
// allauth/mfa/recovery_codes/internal/auth.py does. The HMAC grows with each
// code; it is not reset in between.
func (d Data) codes() []string {
	if d.migrated != nil {
		return d.migrated
	}
	mac := hmac.New(sha1.New, []byte(d.seed))
	codes := make([]string, Count)
	for i := range codes {
		fmt.Fprintf(mac, "%3d,", i)
		codes[i] = fmt.Sprintf("%08d", binary.BigEndian.Uint32(mac.Sum(nil)[:4])%100_000_000)
	}
	return codes
}
