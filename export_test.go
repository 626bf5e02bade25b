package jotgate

import "net/http"

// FollowOver makes the guard request revocations through the transport.
func (g *Guard) FollowOver(transport http.RoundTripper) { g.follower.SetTransport(transport) }
