package main

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// parseDuration parses a duration as time.ParseDuration does, optionally with
// days before it, a unit that Go's durations do not have: 30d, 1d12h. A day has 24
// hours.
func parseDuration(text string) (time.Duration, error) {
	days, rest := time.Duration(0), text
	if number, after, ok := strings.Cut(text, "d"); ok && len(number) <= 6 && number != "" && strings.Trim(number, "0123456789") == "" {
		n, _ := strconv.Atoi(number) // at most six digits
		days, rest = time.Duration(n)*24*time.Hour, after
		if n > int(math.MaxInt64/(24*time.Hour)) {
			return 0, fmt.Errorf("%q is longer than 292 years", text)
		}
		if rest == "" {
			return days, nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || days > 0 && (d < 0 || d > math.MaxInt64-days || rest[0] == '+' || rest[0] == '-') {
		return 0, fmt.Errorf("%q is not a duration with a unit, such as 30s, 5m, 12h or 30d", text)
	}
	return days + d, nil
}

// formatDuration writes a duration as help and documentation do, and as
// parseDuration reads it: 30d, 1d12h, 5m, 0s.
func formatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	if d > day {
		return formatDuration(d-d%day) + formatDuration(d%day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// withDays rewrites the durations of an error of the library as formatDuration
// writes them.
func withDays(text string) string {
	// What the String method of a duration of a minute or more returns. It is compiled here, as few programs need it.
	goDuration := regexp.MustCompile(`\b(?:\d+h)?\d+m\d+(?:\.\d+)?s\b`)
	return goDuration.ReplaceAllStringFunc(text, func(found string) string {
		d, err := time.ParseDuration(found)
		if err != nil {
			return found
		}
		return formatDuration(d)
	})
}

// decodeDuration is the kong.Mapper of every duration flag.
func decodeDuration(ctx *kong.DecodeContext, target reflect.Value) error {
	token, err := ctx.Scan.PopValue("duration")
	if err != nil {
		return err
	}
	d, err := parseDuration(token.String())
	if err == nil {
		target.SetInt(int64(d))
	}
	return err
}
