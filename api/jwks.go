package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/jotgate/jotgate"
)

// jwks is GET /.well-known/jwks.json: the public keys that verify tokens, never a
// secret. The response may be cached for half of jotgate.KeyPublishTime.
func jwks(a *API) http.Handler {
	return a.getOnly(func(w http.ResponseWriter, r *http.Request) {
		keys := a.gate.Keys().Public()
		set := struct {
			Keys []json.RawMessage `json:"keys"`
		}{Keys: make([]json.RawMessage, 0, len(keys))}
		for _, key := range keys {
			text, err := key.MarshalJSON()
			if err != nil {
				a.shell.Respond(w, r, jotgate.AsError(err), "")
				return
			}
			set.Keys = append(set.Keys, text)
		}
		body, err := json.Marshal(set)
		if err != nil {
			a.shell.Respond(w, r, jotgate.AsError(err), "")
			return
		}
		h := w.Header()
		h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(jotgate.KeyPublishTime.Seconds()/2)))
		if h.Get("Access-Control-Allow-Origin") == "" { // not of a listed origin, which may send credentials
			h.Set("Access-Control-Allow-Origin", "*") // public
		}
		serveText(w, r, "application/json", body)
	})
}

// serveText responds with a text and its ETag, or with 304 if the client already
// has that text.
func serveText(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:12]) + `"`
	h := w.Header()
	h.Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = w.Write(body)
}

// queryOf parses the query. Unlike URL.Query, it returns an error if the query is
// malformed.
func queryOf(r *http.Request) (url.Values, error) { return url.ParseQuery(r.URL.RawQuery) }
