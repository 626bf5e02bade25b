package postgres

import "testing"

func TestVersions(t *testing.T) {
	for number, want := range map[int]string{
		120099: "the server is PostgreSQL x: jotgate needs 13 or newer",
		90624:  "the server is PostgreSQL x: jotgate needs 13 or newer",
		130000: "", 150018: "", 180000: "",
	} {
		got := ""
		if err := checkVersion(number, "x"); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%d: %q, want %q", number, got, want)
		}
	}
}
