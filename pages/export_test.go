package pages

// Page is what a test may know about a route.
type Page struct {
	Path string
	Form bool // it has a form, or is sent one
	JSON bool
	// External pages are sent the forms of other sites.
	External bool
	Member   bool // it is for users who are signed in
	Token    bool // a link in an e-mail leads to it
}

// AllPages returns all routes.
func AllPages() (list []Page) {
	for _, r := range routes {
		list = append(list, Page{r.path, r.act != nil, r.json, r.external, r.access == member, r.token})
	}
	return list
}
