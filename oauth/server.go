package oauth

import "github.com/jotgate/jotgate"

// Server manages the clients of a gate. It is safe for concurrent use.
type Server struct {
	gate  *jotgate.Gate
	store Store
}

// New returns a Server for the clients of a store, which is that of the gate:
// store.Store.Clients returns one.
func New(gate *jotgate.Gate, store Store) *Server { return &Server{gate: gate, store: store} }

// How a client authenticates.
const (
	secretBasic = "client_secret_basic"
	privateKey  = "private_key_jwt"
)
