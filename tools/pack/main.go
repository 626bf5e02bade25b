// Command pack compresses files that the program embeds, for `go build -overlay`:
//
//	go run ./pack -o folder [file ...]
//
// It writes each compressed file, and overlay.json, into the folder. Package
// internal/packed reads both forms.
package main

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
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
	replace, texts := map[string]string{}, map[string][]byte{}
	groups := map[string][]string{} // files of one folder that are alike
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		texts[file] = text
		if ext := filepath.Ext(file); ext == ".html" || ext == ".sql" {
			groups[filepath.Dir(file)+ext] = append(groups[filepath.Dir(file)+ext], file)
		}
	}
	all := map[string][]byte{}
	for file, text := range texts {
		all[file] = compress(text, filepath.Ext(file) == ".txt")
	}
	for _, group := range groups {
		maps.Copy(all, smallest(group, texts, all))
	}
	for i, file := range files {
		absolute, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		packed := filepath.Join(folder, fmt.Sprintf("%d.gz", i))
		if err := os.WriteFile(packed, all[file], 0o600); err != nil {
			return err
		}
		replace[absolute] = packed
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "overlay.json"), list, 0o600)
}

// smallest compresses the files of a group with that one of them as the dictionary with which they become the smallest.
// What it does not return is smaller without.
func smallest(group []string, texts, alone map[string][]byte) (best map[string][]byte) {
	most := 0
	for _, dict := range group {
		packed, saved := map[string][]byte{}, 0
		for _, file := range group {
			if file == dict {
				continue
			}
			if data := with(texts[dict], filepath.Base(dict), texts[file]); len(data) < len(alone[file]) {
				packed[file] = data
				saved += len(alone[file]) - len(data)
			}
		}
		if saved > most {
			best, most = packed, saved
		}
	}
	return best
}

// with compresses a text with a dictionary, which internal/packed reads from the file with this name.
func with(dict []byte, name string, text []byte) []byte {
	out := bytes.NewBufferString("\x1f\x8c")
	_ = binary.Write(out, binary.LittleEndian, uint32(len(text)))
	out.WriteByte(byte(len(name)))
	out.WriteString(name)
	w, _ := flate.NewWriterDict(out, flate.BestCompression, dict)
	_, _ = w.Write(text)
	_ = w.Close()
	return out.Bytes()
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
