package breached_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jotgate/jotgate/passwd/breached"
)

// Build makes a file of a list of passwords once; a program opens it at its start.
// The source is usually the list of digests of Have I Been Pwned.
func Example() {
	folder, err := os.MkdirTemp("", "breached")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	name := filepath.Join(folder, "breached.bin")
	source := breached.Source{Name: "list.txt", Lines: strings.NewReader("123456\npassword\n"), Plain: true}
	if _, err := breached.Build(name, source); err != nil {
		panic(err)
	}

	list, err := breached.Open(name)
	if err != nil {
		panic(err)
	}
	defer list.Close()
	for _, password := range []string{"password", "correct horse battery"} {
		found, err := list.Contains(context.Background(), password)
		fmt.Println(password, found, err)
	}
	// Output:
	// password true <nil>
	// correct horse battery false <nil>
}
