//go:build !race

// Without the race detector pools keep what they are given, until the next
// collection.

package jwt_test

const forgetfulPools = false
