package faults

// A disk that fails when it is told to: SQLite's own way to its files, with a count of the writes.
//
// modernc.org/sqlite is SQLite translated to Go; its C function pointers are Go functions that take a TLS first, kept
// as addresses of func values. This file makes such addresses and nothing else needs them.

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// disk counts what SQLite writes, and refuses some of it.
var disk struct {
	writes atomic.Int64 // so far
	first  atomic.Int64 // the write that fails first; 0 for none
	until  atomic.Int64 // the last write that fails
	code   atomic.Int32 // what SQLite is told
}

// refuse says with what a write fails, or 0.
func refuse() int32 {
	n := disk.writes.Add(1)
	if first := disk.first.Load(); first != 0 && n >= first && n <= disk.until.Load() {
		return disk.code.Load()
	}
	return 0
}

// The methods that change a file, as sqlite3_io_methods and sqlite3_vfs declare them.
type (
	openFunc  = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	writeFunc = func(tls *libc.TLS, file, data uintptr, n int32, at int64) int32
	sizeFunc  = func(tls *libc.TLS, file uintptr, size int64) int32
	syncFunc  = func(tls *libc.TLS, file uintptr, flags int32) int32
)

// real are the methods that do it.
var real struct {
	open    openFunc
	methods map[uintptr]*sqlite3.Tsqlite3_io_methods // by the address of the refusing ones
	made    map[uintptr]uintptr                      // refusing ones by real ones
}

// function is the Go function at an address of modernc's.
func function[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&struct{ uintptr }{address})) }

// address is the other way round; f must live as long as the program.
func address[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

// at is the C struct at an address.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// installDisk puts the counting disk under every SQLite of this process.
func installDisk(t *testing.T) {
	t.Helper()
	if real.open != nil {
		return
	}
	tls := libc.NewTLS()
	usual := sqlite3.Xsqlite3_vfs_find(tls, 0)
	if usual == 0 {
		t.Fatal("SQLite has no VFS")
	}
	ours := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	vfs := at[sqlite3.Tsqlite3_vfs](ours)
	*vfs = *at[sqlite3.Tsqlite3_vfs](usual)
	name, err := libc.CString("counting")
	if err != nil {
		t.Fatal(err)
	}
	real.open = function[openFunc](vfs.FxOpen)
	real.methods, real.made = map[uintptr]*sqlite3.Tsqlite3_io_methods{}, map[uintptr]uintptr{}
	vfs.FzName, vfs.FxOpen = name, address[openFunc](openFile)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, ours, 1); rc != 0 {
		t.Fatalf("the VFS was not registered: %d", rc)
	}
}

// opening guards real's maps: SQLite opens files on several threads.
var opening = make(chan struct{}, 1)

// openFile opens a file and puts the refusing methods in the place of its own.
func openFile(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	rc := real.open(tls, vfs, name, file, flags, out)
	f := at[sqlite3.Tsqlite3_file](file)
	if rc != 0 || f.FpMethods == 0 {
		return rc
	}
	opening <- struct{}{}
	defer func() { <-opening }()
	ours, ok := real.made[f.FpMethods]
	if !ok {
		ours = libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
		methods := at[sqlite3.Tsqlite3_io_methods](ours)
		*methods = *at[sqlite3.Tsqlite3_io_methods](f.FpMethods)
		methods.FxWrite, methods.FxTruncate, methods.FxSync = address[writeFunc](writeFile), address[sizeFunc](truncateFile), address[syncFunc](syncFile)
		real.methods[ours], real.made[f.FpMethods] = at[sqlite3.Tsqlite3_io_methods](f.FpMethods), ours
	}
	f.FpMethods = ours
	return rc
}

// methodsOf are the real methods of an open file.
func methodsOf(file uintptr) *sqlite3.Tsqlite3_io_methods {
	opening <- struct{}{}
	defer func() { <-opening }()
	return real.methods[at[sqlite3.Tsqlite3_file](file).FpMethods]
}

func writeFile(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	if rc := refuse(); rc != 0 {
		return rc
	}
	return function[writeFunc](methodsOf(file).FxWrite)(tls, file, data, n, offset)
}

func truncateFile(tls *libc.TLS, file uintptr, size int64) int32 {
	if rc := refuse(); rc != 0 {
		return rc
	}
	return function[sizeFunc](methodsOf(file).FxTruncate)(tls, file, size)
}

func syncFile(tls *libc.TLS, file uintptr, flags int32) int32 {
	if rc := refuse(); rc != 0 {
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	return function[syncFunc](methodsOf(file).FxSync)(tls, file, flags)
}
