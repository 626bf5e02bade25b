package tempdir

import (
	"os"
	"syscall"
)

// Shared returns the folder for what the packages of one run share, such as the program, so
// that it is made once, or "" if there is none. tools/runtests and tools/steady create it,
// and name it in the environment.
func Shared() string { return os.Getenv("TESTS_SHARED") }

// Lock waits until no other process has the file locked.
func Lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}
