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
// variable GOLDEN names a folder, those in it and in its subfolder data. A recording
// need not have every kind of file; the test then says that there was none.
func Each[T any](t *testing.T, folder, pattern string, test func(*testing.T, T)) {
	t.Helper()
	for _, file := range files(t, folder, pattern) {
		t.Run(filepath.Base(file), func(t *testing.T) { test(t, read[T](t, file)) })
	}
}

func files(t *testing.T, folder, pattern string) (files []string) {
	t.Helper()
	for _, folder := range folders(folder) {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 && os.Getenv("GOLDEN") == "" {
		t.Fatalf("no %s in %s", pattern, folder)
	}
	if len(files) == 0 {
		t.Logf("nothing to compare: no %s in %v", pattern, folders(folder))
	}
	return files
}

func folders(usual string) []string {
	if other := os.Getenv("GOLDEN"); other != "" {
		return []string{other, filepath.Join(other, "data")}
	}
	return []string{usual}
}

func read[T any](t *testing.T, file string) (content T) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &content)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return content
}
