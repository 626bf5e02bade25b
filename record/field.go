package record

// Kind is the type of a column of the user table, named after its JSON form in
// Django REST framework.
type Kind string

// The kinds of columns. A value in the Fields of an Account or a Change is nil for NULL.
// Otherwise it is a bool for KindBoolean, an int64 for KindInteger, a float64 for
// KindNumber, a json.RawMessage for KindJSON, and a string for the others: a date as
// YYYY-MM-DD, a datetime as in RFC 3339, a uuid with hyphens.
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
	Blank     bool // the column may be an empty string
	Required  bool // users must set it when they sign up
	ReadOnly  bool // users see it but do not set it
	WriteOnly bool // users set it when they sign up but do not see it
}

// Model describes what a store's user table allows. A store may have a method Model()
// Model that returns it; without it, the table is that of Django's own user model.
type Model struct {
	// LoginIsEmail reports whether users log in with the column of the e-mail
	// address.
	LoginIsEmail bool
	// EmailIsUnique reports whether two accounts must have different addresses.
	EmailIsUnique bool
	// Fields are the further columns that users set and see.
	Fields []UserField
	// Unfilled is nil if accounts can be created. Otherwise it explains in one
	// sentence why not: a column must have a value that no setting determines.
	Unfilled error
}
