package api

import "github.com/jotgate/jotgate/internal/web"

// device describes a User-Agent header, for example as "Firefox on Linux", or as
// "an unknown program".
func device(userAgent string) string {
	browser, system := web.Device(userAgent)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser+system != "":
		return browser + system
	}
	return "an unknown program"
}
