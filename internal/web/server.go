package web

import (
	"net/http"
	"strings"
	"time"
)

// Server returns an http.Server with limits against slow and greedy clients: 10
// s for the headers, 32 KiB of them, 2 min of idling. Handlers limit the time for
// bodies and responses.
func Server(addr string, handler http.Handler) *http.Server {
	return &http.Server{
		Addr: addr, Handler: handler,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
	}
}

// Handle registers the handler for the path; one that ends in a slash is served
// without it, too, and never for the paths below.
func Handle(mux *http.ServeMux, path string, h http.Handler) {
	bare, slash := strings.CutSuffix(path, "/")
	if bare != "" {
		mux.Handle(bare, h)
	}
	if slash {
		mux.Handle(path+"{$}", h)
	}
}
