package catalog

import (
	"strings"

	"golang.org/x/text/language"
)

// PseudoCode is the tag of the pseudo-language, as in CLDR.
const PseudoCode = "en-XA"

// accents replaces characters by others that look alike.
var accents = strings.NewReplacer("a", "å", "c", "ç", "e", "é", "i", "î", "n", "ñ", "o", "ö", "s", "š", "u", "û", "A", "Å", "E", "É", "O", "Ö", "S", "Š", "Y", "Ý")

// Pseudo returns the pseudo-language of a catalog: each message is recognizable,
// and 40 % longer, as a translation may be.
func (l *Catalog) Pseudo() *Catalog {
	p := &Catalog{tag: language.English, Code: PseudoCode, Name: "Pseudo", Dir: "ltr", messages: map[string]string{}}
	for id, text := range l.all() {
		words := strings.Fields(text)
		longer := words[:min(len(words), 1+len(words)*2/5)]
		p.messages[id] = "[" + accents.Replace(strings.Join(append(words, longer...), " ")) + "]"
	}
	return p
}
