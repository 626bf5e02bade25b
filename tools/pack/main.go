// Command pack compresses files that the program embeds, for `go build -overlay`:
//
//	go run ./pack -o folder [file ...]
//
// It writes each compressed file, and overlay.json, into the folder. Package
// internal/packed reads both forms.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

// head is how much of a catalog of messages can be read without decompressing the rest, in bytes.
const head = 1 << 10

func main() {
	log.SetFlags(0)
	folder := flag.String("o", "", "folder for what is written")
	flag.Parse()
	if err := run(*folder, flag.Args()); err != nil {
		log.Fatal("pack: ", err)
	}
}

func run(folder string, files []string) error {
	replace := map[string]string{}
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		packed := filepath.Join(folder, fmt.Sprintf("%d.gz", i))
		if err := os.WriteFile(packed, compress(text, filepath.Ext(file) == ".txt"), 0o600); err != nil {
			return err
		}
		replace[file] = packed
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "overlay.json"), list, 0o600)
}

// compress ends a block after the head if it is read alone. The errors are those of a [bytes.Buffer]: none.
func compress(text []byte, alone bool) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	first := 0
	if alone {
		first = min(head, len(text))
		_, _ = w.Write(text[:first])
		_ = w.Flush()
	}
	_, _ = w.Write(text[first:])
	_ = w.Close()
	return out.Bytes()
}
