// Package openapi checks jotgate's responses against its OpenAPI document with an
// independent validator, for all recorded exchanges that package api replays. It contains
// only tests.
package openapi
