package api

// The response to OPTIONS: DRF's SimpleMetadata (rest_framework/metadata.py).

import (
	"bytes"
	"encoding/json"

	"github.com/jotgate/jotgate/internal/form"
)

// description describes a route.
type description struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Renders     []string `json:"renders"`
	Parses      []string `json:"parses"`
	Actions     *actions `json:"actions,omitempty"`
}

// actions lists the fields that the bodies of POST and PUT may have.
type actions struct {
	POST fieldList `json:"POST,omitempty"`
	PUT  fieldList `json:"PUT,omitempty"`
}

func (r *route) describe(a *API) description {
	d := description{
		Name: r.name, Description: r.about, Renders: []string{"application/json"}, Parses: form.MediaTypes(),
	}
	var shown actions
	if r.post != nil && r.post.fields != nil {
		shown.POST = r.post.fields(a)
	}
	if r.put != nil && r.put.fields != nil {
		shown.PUT = r.put.fields(a)
	}
	if r.shown != nil && r.post != nil {
		shown.POST = r.shown(a)
	}
	if shown.POST != nil || shown.PUT != nil {
		d.Actions = &shown
	}
	return d
}

// fieldList is encoded as an object, in the order of its fields.
type fieldList []form.Field

// MarshalJSON writes each field under its name.
func (l fieldList) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, f := range l {
		b.WriteByte("{,"[min(i, 1)])
		name, _ := json.Marshal(f.Name)
		b.Write(name)
		b.WriteByte(':')
		text, err := json.Marshal(struct {
			Type      string `json:"type"`
			Required  bool   `json:"required"`
			ReadOnly  bool   `json:"read_only"`
			Label     string `json:"label"`
			Help      string `json:"help_text,omitempty"`
			MaxLength int    `json:"max_length,omitempty"`
		}{f.Type, !f.Optional && !f.ReadOnly, f.ReadOnly, f.Label, f.Help, f.MaxLength})
		if err != nil {
			return nil, err
		}
		b.Write(text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
