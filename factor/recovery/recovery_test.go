package recovery_test

import (
	"strings"
	"testing"

	"github.com/jotgate/jotgate/factor/recovery"
)

// never is the check of codes that are not hashed.
func never(string, string) bool { panic("a hash is computed") }

// The codes of allauth 65.19.1 for this seed, from
// allauth.mfa.recovery_codes.internal.auth.RecoveryCodes.
func TestSeeded(t *testing.T) {
	data, err := recovery.ParseData(`{"seed": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "used_mask": 2, "viewed_at": 1.5}`)
	if err != nil || data.Left() != 9 {
		t.Fatalf("%v, %d left", err, data.Left())
	}
	for i, code := range strings.Fields("64942586 03959085 07990366 16418492 08962862 26762693 03257366 85808163 85026242 60612046") {
		index, ok := data.Find(" "+code[:4]+"-"+code[4:], never)
		if ok != (i != 1) || ok && index != i {
			t.Errorf("%s: %d, %v", code, index, ok)
		}
	}
	used := data.Use(0)
	if got, want := used.String(), `{"seed":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","used_mask":3,"viewed_at":1.5}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if _, ok := used.Find("00000000", never); ok {
		t.Error("a wrong code is accepted")
	}
}

func TestMigrated(t *testing.T) {
	data, err := recovery.ParseData(`{"migrated_codes": ["abc-def", "ghj"]}`)
	if err != nil || data.Left() != 2 {
		t.Fatalf("%v, %d left", err, data.Left())
	}
	index, ok := data.Find("ABC DEF", never)
	if !ok || index != 0 {
		t.Fatalf("%d, %v", index, ok)
	}
	if data = data.Use(index); data.String() != `{"migrated_codes":["ghj"]}` || data.Left() != 1 {
		t.Errorf("%s", data)
	}
	if _, ok := data.Find("abcdef", never); ok {
		t.Error("a used code is accepted")
	}
}

func TestHashed(t *testing.T) {
	codes := recovery.NewCodes()
	seen := map[string]bool{}
	for _, c := range codes {
		seen[c] = true
	}
	if len(seen) != recovery.Count {
		t.Fatalf("%v", codes)
	}
	data, err := recovery.ParseData(recovery.Hashed(codes).String()) // the "hash" is the code itself
	if err != nil || data.Left() != recovery.Count {
		t.Fatal(err)
	}
	computed := 0
	check := func(code, hash string) bool { computed++; return code == hash }
	shown := recovery.Show(codes[7])
	if len(shown) != 13 {
		t.Fatalf("%s", shown)
	}
	for _, typed := range []string{shown, strings.ToLower(shown), " " + strings.ReplaceAll(shown, "-", " "), strings.NewReplacer("0", "o", "1", "l").Replace(shown)} {
		if index, ok := data.Find(typed, check); !ok || index != 7 {
			t.Errorf("%s: %d, %v", typed, index, ok)
		}
	}
	if computed != 4 {
		t.Errorf("%d hashes were computed for 4 codes", computed)
	}
	for _, wrong := range []string{"", codes[7][1:], codes[7] + "0", "U" + codes[7][1:], codes[7][1:] + codes[7][:1], codes[7][:11] + "U"} {
		if _, ok := data.Find(wrong, check); ok {
			t.Errorf("%s is accepted", wrong)
		}
	}
	used := data.Use(7)
	if _, ok := used.Find(shown, never); ok || used.Left() != 9 {
		t.Error("a used code is accepted")
	}
	for _, bad := range []string{"", "1", "{}", `{"hashes": 1}`, `{"seed": 1}`, `{"hashes": ["` + strings.Repeat(`x", "`, 10) + `x"]}`} {
		if _, err := recovery.ParseData(bad); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

// The list that is empty for allauth does not hide the hashes.
func TestHashedWithAnEmptyList(t *testing.T) {
	text := recovery.Hashed([]string{"a", "b"}).Use(0).String()
	if want := `{"hashes":["a","b"],"migrated_codes":[],"used_mask":1}`; text != want {
		t.Errorf("%s, want %s", text, want)
	}
	for _, text := range []string{text, `{"hashes":["a","b"],"used_mask":1}`} {
		data, err := recovery.ParseData(text)
		if err != nil || data.Left() != 1 || len(data.Hashes) != 2 {
			t.Errorf("%s: %d left, %v", text, data.Left(), err)
		}
	}
}
