package api

import "net/http"

// revocations is GET /auth/revocations: the feed that Guards in other processes
// follow. It is served if jotgate.Settings.ServeRevocations is set.
func revocations(a *API) http.Handler { return a.gate.Sessions().RevocationFeed() }

func servesRevocations(a *API) bool { return a.gate.Settings().ServeRevocations }
