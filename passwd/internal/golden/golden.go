// Package golden finds and reads recordings of Django for tests.
package golden

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Each runs test for every file that matches pattern, such as "hashes_*.json", with
// its content read into a T. The files are those in folder or, when the environment
// variable GOLDEN names a folder, those in it and in its subfolder data.
func Each[T any](t *testing.T, folder, pattern string, test func(*testing.T, T)) {
	t.Helper()
	folders := []string{folder}
	if other := os.Getenv("GOLDEN"); other != "" {
		folders = []string{other, filepath.Join(other, "data")}
	}
	found := 0
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			found++
			t.Run(filepath.Base(file), func(t *testing.T) { test(t, read[T](t, file)) })
		}
	}
	if found == 0 {
		t.Fatalf("no %s in %v", pattern, folders)
	}
}

func read[T any](t *testing.T, file string) (content T) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &content); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return content
}
