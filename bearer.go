package jotgate

import (
	"net/http"
	"slices"
	"strings"
)

// BearerWord is the WebSocket subprotocol before the token in a handshake; see
// [BearerProtocol].
const BearerWord = "bearer"

// BearerProtocol returns the token that a page has sent with a WebSocket handshake, and
// the other subprotocols that it offers. A page cannot set request headers in a
// handshake, so it sends the word "bearer" and the token as subprotocols:
//
//	new WebSocket(url, ["bearer", token, "chat"])
//
// Guards accept this token if the request has no header with a token; this function
// does not verify it. The response must select "bearer" or one of the others; package
// proxy does so, and does not forward the token. ok is false unless the list has the
// word exactly once, followed by a token.
func BearerProtocol(h http.Header) (token string, others []string, ok bool) {
	lines := h["Sec-Websocket-Protocol"]
	if len(lines) == 0 {
		return "", nil, false
	}
	for _, line := range lines { // several lines are one list (RFC 6455 section 11.3.4)
		for protocol := range strings.SplitSeq(line, ",") {
			others = append(others, strings.Trim(protocol, " \t"))
		}
	}
	i := slices.Index(others, BearerWord)
	if i < 0 || i+1 == len(others) || slices.Contains(others[i+1:], BearerWord) || others[i+1] == "" {
		return "", nil, false
	}
	token = others[i+1]
	return token, slices.Delete(others, i, i+2), true
}
