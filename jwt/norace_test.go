//go:build !race

// Without the race detector, a sync.Pool keeps its objects until the next garbage
// collection.

package jwt_test

const forgetfulPools = false
