// Package useragent describes the program of a client, such as "Firefox on Linux".
package useragent

import (
	"cmp"
	"strings"
)

// browsers and systems are searched for in a User-Agent header, in this order:
// most browsers also name those that they are compatible with.
var (
	browsers = [][2]string{
		{"Edg/", "Edge"},
		{"EdgA/", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Vivaldi/", "Vivaldi"},
		{"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
		{"curl/", "curl"},
		{"Wget/", "Wget"},
		{"python-requests/", "Python"},
		{"Python-urllib/", "Python"},
		{"okhttp/", "an Android app"},
		{"CFNetwork/", "an Apple app"},
		{"Dart/", "a Flutter app"},
		{"Go-http-client/", "a Go program"},
	}
	systems = [][2]string{
		{"Android", "Android"},
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"CrOS", "ChromeOS"},
		{"Windows", "Windows"},
		{"Mac OS X", "macOS"},
		{"Macintosh", "macOS"},
		{"Linux", "Linux"},
	}
)

// Parse returns the browser and the system that a User-Agent header names, such
// as Firefox and Linux. They are words of these tables, because a client can
// send any header; what is not known is empty.
func Parse(userAgent string) (browser, system string) {
	return known(browsers, userAgent), known(systems, userAgent)
}

// Describe describes a User-Agent header, for example as "Firefox on Linux", or
// as "an unknown program".
func Describe(userAgent string) string {
	browser, system := Parse(userAgent)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser+system != "":
		return browser + system
	}
	return "an unknown program"
}

// Origin describes the origin of a login for an e-mail: its address and Describe.
func Origin(address, userAgent string) string {
	return cmp.Or(address, "an unknown address") + ", " + Describe(userAgent)
}

func known(table [][2]string, userAgent string) string {
	for _, row := range table {
		if strings.Contains(userAgent, row[0]) {
			return row[1]
		}
	}
	return ""
}
