// Package openapi holds what jotgate answers against its OpenAPI document, by
// a validator that knows nothing of jotgate: every exchange of the recordings
// that package api replays. It has only tests.
package openapi
