package binary

import (
	"io"
	"net/http"
	"time"
)

// Limits are flags for a test on a slow machine: limits that are not reached there.
var Limits = []string{"--database-timeout", "3m", "--request-timeout", "10m", "--body-timeout", "3m", "--startup-timeout", "3m", "--drain-timeout", "3m"}

// HeaderLimit is how long the server waits for the headers of a request, which no flag sets.
const HeaderLimit = 10 * time.Second

// Patient is a transport for a test on a slow machine. It repeats a request whose
// connection ended after HeaderLimit or later: the server received it too late and
// did nothing.
type Patient struct {
	http.Transport
	Busy bool // also repeat what is answered with 503
}

// RoundTrip implements [http.RoundTripper].
func (p *Patient) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		began := time.Now()
		response, err := p.Transport.RoundTrip(r)
		switch {
		case err == nil && p.Busy && response.StatusCode == http.StatusServiceUnavailable:
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		case err == nil || time.Since(began) < HeaderLimit:
			return response, err
		}
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-time.After(20 * time.Millisecond):
		}
		if r.GetBody != nil {
			r = r.Clone(r.Context())
			if r.Body, err = r.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}
