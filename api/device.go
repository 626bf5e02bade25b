package api

import "strings"

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

// device describes a User-Agent header, for example as "Firefox on Linux". The
// result has only words of these tables, because a client can send any header. It
// is "an unknown program" if nothing in the header is known.
func device(userAgent string) string {
	browser, system := known(browsers, userAgent), known(systems, userAgent)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser+system != "":
		return browser + system
	}
	return "an unknown program"
}

func known(table [][2]string, userAgent string) string {
	for _, row := range table {
		if strings.Contains(userAgent, row[0]) {
			return row[1]
		}
	}
	return ""
}
