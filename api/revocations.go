package api

import "net/http"

// revocations is GET /auth/revocations: the feed that Guards elsewhere follow.
// It is offered with jotgate.Settings.ServeRevocations.
func revocations(a *API) http.Handler { return a.gate.RevocationFeed() }

func servesRevocations(a *API) bool { return a.gate.Settings().ServeRevocations }
