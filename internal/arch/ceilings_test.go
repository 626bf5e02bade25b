// Ceilings that only go down: what is above the limit today, and by how much.

package arch

// maxMethods limits the exported methods of a type, promoted ones included.
const maxMethods = 20

// maxMethodsOf lists the types that have more.
var maxMethodsOf = map[string]int{
	"Gate":        30, // the middleware, the daily calls and one method for each noun
	"store.Store": 26, // an accessor for each noun, and the whole database
}

// maxPairs limits the pairs of files that use each other's names, in packages
// whose files are meant to depend one way. 0 also forbids longer circles.
var maxPairs = map[string]int{
	".":   0,
	"jwt": 0,
}

// maxMarked limits marked phrases (prose_test.go) in 10,000 words.
const maxMarked = 20

// prose is the ceiling of one package, in 10,000 words.
type prose struct{ comments, texts int }

func proseOf(path string) prose {
	if p, ok := maxMarkedIn[path]; ok {
		return p
	}
	return prose{maxMarked, maxMarked}
}

// maxMarkedIn lists the packages, and the folders of other modules, that have
// more. A package at maxMarked needs no row.
var maxMarkedIn = map[string]prose{}

// maxMarkedDocs is the same for Markdown files.
var maxMarkedDocs = map[string]int{}
