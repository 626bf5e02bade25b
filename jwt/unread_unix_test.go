//go:build unix

package jwt_test

import (
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"

	"github.com/jotgate/jotgate/jwt"
)

// A token that is too long is rejected by its length: no byte of it is read. The
// memory of this one cannot be read at all.
func TestTooLongTokenIsNotRead(t *testing.T) {
	memory, err := syscall.Mmap(-1, 0, 1<<20, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Munmap(memory) }()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			t.Errorf("it is read: %v", fault)
		}
	}()
	v := verifier[jwt.Raw](t, hmacKey(t, jwt.HS256), jwt.Rules{})
	_, err = v.Verify(unsafe.String(unsafe.SliceData(memory), len(memory)))
	looksAlike(t, err, "8192")
}
