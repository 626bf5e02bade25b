package packed

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPack: every file that `make build` compresses reads as it is in the repository,
// and its beginning is read without the rest.
func TestPack(t *testing.T) {
	files, err := filepath.Glob("../catalog/messages/*.txt")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, pattern := range []string{"../layout/templates/*.html", "../../pages/templates/*.html", "../layout/static/*", "../../admin/static/*", "../../pages/static/*", "../../passwd/names/confusables.txt", "../../factor/passkey/*.js", "../../api/docs.*", "../../admin/templates/*.html", "../../store/*/schema/*.sql"} {
		more, err := filepath.Glob(pattern)
		if err != nil || len(more) == 0 {
			t.Fatal(pattern, err)
		}
		files = append(files, more...)
	}
	folder := t.TempDir()
	packed := pack(t, folder, append(files, "../../api/openapi.yaml")...)
	for file, data := range packed {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(data, []byte(dictMagic)) {
			n, other, rest := dictionary(data)
			dict := Text(packed[filepath.Join(filepath.Dir(file), other)])
			got, err := io.ReadAll(flate.NewReaderDict(bytes.NewReader(rest), dict))
			if string(got) != string(text) || n != len(text) || err != nil {
				t.Errorf("%s with %s: %d bytes, want %d; %v", file, other, len(got), len(text), err)
			}
			continue
		}
		if got := Text(data); string(got) != string(text) || len(text) > 1<<13 && len(data) > len(text)/2 {
			t.Errorf("%s: %d bytes of %d compressed ones, want %d", file, len(got), len(data), len(text))
		}
		if got := Text(text); string(got) != string(text) {
			t.Errorf("%s: a text that is not compressed is read as another one", file)
		}
		if filepath.Ext(file) != ".txt" && filepath.Ext(file) != ".yaml" {
			continue // they are read whole
		}
		for name, form := range map[string][]byte{"compressed": data, "plain": text} {
			if head := head(form[:headSize]); string(head) != string(text[:headSize]) {
				t.Errorf("%s, %s: the beginning has %d bytes", file, name, len(head))
			}
		}
	}
	// Tests of the messages, of a theme's export and of similar names pass in the form that `make build` gives them.
	for _, args := range [][]string{{"../catalog"}, {"-run", "^TestDefaults$", "../../pages"}, {"../../passwd/names"}, {"-run", "^TestPages$", "../../admin"}, {"-run", "^TestAdminPlans$", "../../store"}} {
		args = append([]string{"test", "-count=1", "-overlay", filepath.Join(folder, "overlay.json")}, args...)
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// pack writes what tools/pack makes of the files into the folder, and returns it.
func pack(t *testing.T, folder string, files ...string) map[string][]byte {
	t.Helper()
	args := []string{"run", "-C", "../../tools", "./pack", "-o", folder}
	for _, file := range files {
		whole, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, whole)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(folder, "overlay.json"))
	if err != nil {
		t.Fatal(err)
	}
	var overlay struct{ Replace map[string]string }
	if err := json.Unmarshal(data, &overlay); err != nil || len(overlay.Replace) != len(files) {
		t.Fatalf("%s: %v", data, err)
	}
	packed := map[string][]byte{}
	for file, name := range overlay.Replace {
		if packed[file], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return packed
}
