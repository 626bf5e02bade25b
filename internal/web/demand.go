package web

import (
	"regexp"
	"strconv"
	"time"

	"github.com/jotgate/jotgate"
)

// isLevel is the form of an acr that can be quoted in WWW-Authenticate. It has at most
// 64 bytes.
var isLevel = regexp.MustCompile(`^[!#-\[\]-~]+$`)

// Demand returns what a parameter of a check for gateways demands: acr is a level of
// authentication, max_age the seconds since the user authenticated. ok is false for
// other parameters and for values without a meaning.
func Demand(name, value string) (demand jotgate.Requirement, ok bool) {
	switch name {
	case "acr":
		return jotgate.ACR(value), len(value) <= 64 && isLevel.MatchString(value)
	case "max_age":
		seconds, err := strconv.ParseUint(value, 10, 31)
		return jotgate.Fresh(time.Duration(seconds) * time.Second), err == nil && seconds > 0
	}
	return demand, false
}
