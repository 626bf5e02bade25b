//go:build race

// Under the race detector sync.Pool forgets things on purpose.

package jwt_test

const forgetfulPools = true
