package oauth

// Metadata: what clients can find out about the server and the API by a request.

// Metadata returns the metadata of the authorization server (RFC 8414), to be marshaled
// as JSON. issuer is jotgate.Settings.Issuer. base is the URL of the API, without a
// slash at its end; the URLs of the endpoints begin with it.
func Metadata(issuer, base string) map[string]any {
	m := map[string]any{
		"issuer":                   issuer,
		"jwks_uri":                 base + "/.well-known/jwks.json",
		"grant_types_supported":    []string{"client_credentials"},
		"response_types_supported": []string{}, // required; there is no authorization endpoint
	}
	for name, path := range map[string]string{"token": "/o/token/", "introspection": "/o/introspect/", "revocation": "/o/revoke/"} {
		m[name+"_endpoint"] = base + path
		m[name+"_endpoint_auth_methods_supported"] = []string{secretBasic, "client_secret_post", privateKey}
		m[name+"_endpoint_auth_signing_alg_values_supported"] = assertionAlgorithms
	}
	return m
}

// Resource returns the metadata of an API (RFC 9728), to be marshaled as JSON. resource
// is the URL of the API, issuer the authorization server that issues its access tokens,
// and scopes, which may be empty, are the scopes that it knows.
func Resource(resource, issuer string, scopes ...string) map[string]any {
	m := map[string]any{
		"resource":                 resource,
		"authorization_servers":    []string{issuer},
		"bearer_methods_supported": []string{"header"},
	}
	if len(scopes) > 0 {
		m["scopes_supported"] = scopes
	}
	return m
}
