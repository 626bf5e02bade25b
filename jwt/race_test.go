//go:build race

// Under the race detector, a sync.Pool drops objects at random.

package jwt_test

const forgetfulPools = true
