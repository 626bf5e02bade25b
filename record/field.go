package record

// Kind is the type of a column of the user table, named after its JSON form in
// Django REST framework.
type Kind string

// The kinds of columns. In an Account's and a Change's Fields, a value is nil
// (NULL) or, by kind: a string (text, date as YYYY-MM-DD, datetime as RFC 3339,
// uuid with hyphens, decimal), a bool, an int64 (integer), a float64 (number)
// or a json.RawMessage.
const (
	KindText     Kind = "string"
	KindBoolean  Kind = "boolean"
	KindInteger  Kind = "integer"
	KindNumber   Kind = "float"
	KindDecimal  Kind = "decimal"
	KindDate     Kind = "date"
	KindDateTime Kind = "datetime"
	KindUUID     Kind = "uuid"
	KindJSON     Kind = "json"
	KindOther    Kind = "" // a type that jotgate does not read, such as an array
)

// UserField describes a further column of the user table that users set when
// they sign up, and that they see and change afterwards.
type UserField struct {
	Name      string // of the column
	Kind      Kind
	MaxLength int  // of text, in characters; 0: no limit
	Null      bool // the column may be NULL
	Blank     bool // the column may hold an empty string
	Required  bool // at sign-up
	ReadOnly  bool // shown, not set by users
	WriteOnly bool // set at sign-up, not shown
}

// Model describes what a store's user table allows. A store may have a method
// Model that returns it; without one, the model is Django's own.
type Model struct {
	// LoginIsEmail reports whether the column of the login name is that of the
	// e-mail address.
	LoginIsEmail bool
	// EmailIsUnique reports whether no two accounts may have one address.
	EmailIsUnique bool
	// Fields are the further columns that users set and see.
	Fields []UserField
	// Unfilled explains in one sentence why no account can be created: a column
	// must have a value, and no setting says which. It is nil if accounts can be
	// created.
	Unfilled error
}
