package proxy

// A page cannot set a header when it opens a WebSocket, so it sends the token as a
// subprotocol (jotgate.BearerProtocol). The proxy removes it, and selects what the
// page must find in the response.

import (
	"context"
	"net/http"
	"strings"

	"github.com/jotgate/jotgate"
)

const protocolHeader = "Sec-Websocket-Protocol"

type offerKey struct{}

// withOffer notes that the request offers the subprotocol "bearer".
func withOffer(r *http.Request) *http.Request {
	if _, _, ok := jotgate.BearerProtocol(r.Header); !ok {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), offerKey{}, true))
}

// dropProtocolToken removes the word and the token from the subprotocols, whether
// or not the path needs a token.
func dropProtocolToken(h http.Header) {
	_, others, ok := jotgate.BearerProtocol(h)
	switch {
	case !ok:
	case len(others) == 0:
		h.Del(protocolHeader)
	default:
		h[protocolHeader] = []string{strings.Join(others, ", ")}
	}
}

// selectProtocol selects "bearer" if the page offered it and the upstream selected
// none of the others: a browser closes a connection whose server selected nothing.
func selectProtocol(res *http.Response) error {
	offered, _ := res.Request.Context().Value(offerKey{}).(bool)
	if offered && res.StatusCode == http.StatusSwitchingProtocols && res.Header.Get(protocolHeader) == "" {
		res.Header.Set(protocolHeader, jotgate.BearerWord)
	}
	return nil
}
