package totp_test

import (
	"bytes"
	"encoding/base32"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/factor/totp"
)

// The test vectors of RFC 6238 appendix B, in six digits.
func TestCode(t *testing.T) {
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte("12345678901234567890"))
	for seconds, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got, err := totp.Code(secret, totp.Step(time.Unix(seconds, 0))); got != want || err != nil {
			t.Errorf("%d: %s, %v, want %s", seconds, got, err, want)
		}
	}
	if _, err := totp.Code("not base32!", 1); err == nil {
		t.Error("a secret that is not base32")
	}
}

// oathtool makes the same codes.
func TestOathtool(t *testing.T) {
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for range 5 {
		secret := totp.NewSecret()
		for _, now := range []time.Time{at, at.Add(time.Hour), at.AddDate(20, 0, 0)} {
			out, err := exec.Command("oathtool", "--totp", "-b", "--now", now.Format("2006-01-02 15:04:05 UTC"), secret).Output()
			if err != nil {
				t.Fatalf("oathtool (see tools/setup): %v", err)
			}
			if step, ok := totp.Match(secret, strings.TrimSpace(string(out)), now, 0, 0); !ok || step != totp.Step(now) {
				t.Errorf("the code %sof oathtool is not accepted", out)
			}
		}
	}
}

func TestData(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 10, 0, time.UTC)
	for _, bad := range []string{"", "[]", "{}", `{"secret": 1}`, `{"secret": ""}`, `{"secret": "S", "jotgate": 1}`} {
		if _, err := totp.ParseData(bad); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
	d, err := totp.ParseData(`{"secret": "S", "other": {"a": [1.50]}, "jotgate": {"step": 3}}`)
	if err != nil || d.Secret != "S" || d.Step != 3 {
		t.Fatalf("%+v, %v", d, err)
	}
	used := d.Use(5, now).String()
	if want := `{"jotgate":{"step":5,"used":1795867210000000},"other":{"a":[1.50]},"secret":"S"}`; used != want {
		t.Errorf("%s, want %s", used, want)
	}
	if d, err = totp.ParseData(used); err != nil {
		t.Fatal(err)
	}
	if got := d.Last(now); got != 5 { // our own use
		t.Errorf("%d", got)
	}
	if got := d.Last(now.Add(time.Minute)); got != totp.Step(now)+2 { // Django's
		t.Errorf("%d", got)
	}
	if got := d.Last(time.Time{}); got != 5 {
		t.Errorf("%d", got)
	}
}

func TestURL(t *testing.T) {
	got := totp.URL("My Site: yes", "a+b@example.com", "SECRET")
	want := "otpauth://totp/My%20Site%20yes:a+b@example.com?algorithm=SHA1&digits=6&issuer=My%20Site%20yes&period=30&secret=SECRET"
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	svg, err := totp.SVG(got)
	if err != nil || !strings.HasPrefix(svg, "<svg ") || strings.Contains(svg, "script") {
		t.Errorf("%.200s, %v", svg, err)
	}
	if _, err := totp.SVG(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text that is too long")
	}
}

// zbarimg reads the address back from the QR code, however long it is.
func TestQRCodeIsRead(t *testing.T) {
	for _, account := range []string{"alice", "alice+tag@example.com", strings.Repeat("long", 40)} {
		want := totp.URL("Example: Größe & Co", account, totp.NewSecret())
		svg, err := totp.SVG(want)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "code.pgm")
		if err := os.WriteFile(file, raster(t, svg), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := exec.Command("zbarimg", "--quiet", "--raw", file).Output()
		if err != nil {
			t.Fatalf("zbarimg (see tools/setup): %v", err)
		}
		if strings.TrimSpace(string(got)) != want {
			t.Errorf("zbarimg reads %s, want %s", got, want)
		}
	}
}

// raster draws the rows of the SVG's path, four pixels a unit, as a PGM image.
func raster(t *testing.T, svg string) []byte {
	t.Helper()
	const scale = 4
	var size int
	_, box, _ := strings.Cut(svg, `viewBox="0 0 `)
	if _, err := fmt.Sscanf(box, "%d", &size); err != nil {
		t.Fatal(err)
	}
	pixels := bytes.Repeat([]byte{255}, size*size*scale*scale)
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-\d+z`).FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		width, _ := strconv.Atoi(m[3])
		for row := y * scale; row < (y+1)*scale; row++ {
			from := row*size*scale + x*scale
			clear(pixels[from : from+width*scale])
		}
	}
	return append(fmt.Appendf(nil, "P5 %d %d 255\n", size*scale, size*scale), pixels...)
}
