package jotgatetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jotgate/jotgate/store/sqlite"
)

// migrated is the content of an empty database. The migrations take much longer than a
// copy, and some tests need a gate for each case.
var migrated = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "jotgatetest")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "migrated.db")
	content, err := migrate(file)
	return content, errors.Join(err, os.RemoveAll(folder))
})

// options let an operation take as long as it takes on a slow machine: a limit ends only what hangs.
var options = sqlite.Options{BusyTimeout: 3 * time.Minute}

func migrate(file string) ([]byte, error) {
	db, err := sqlite.Open(context.Background(), file, options)
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil { // moves everything from the write-ahead log to the file
		return nil, err
	}
	return os.ReadFile(file)
}
