package main

// Where settings come from besides the flags: the environment, then the config
// file. A flag of the gate or the server is JOTGATE_NAME and a line `name:`; a
// flag of one command is JOTGATE_COMMAND_NAME and a line in its section.

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// defaultConfig is read when it is there and no other is named.
const defaultConfig = "jotgate.yaml"

// source is where a flag's value comes from when it is not on the line.
type source struct {
	env    map[string]string
	names  map[*kong.Value]aliases
	maps   map[string]bool // every key; true where its value is a map
	loaded bool
	file   string         // the config file in use
	values map[string]any // what it says, sections flattened to section.name
}

// aliases are the names of a flag in the environment and in the config file. The
// first one that is set counts.
type aliases struct {
	env       []string
	formerEnv []string // for the flag's former names; not in --help
	keys      []string // the flag's name, then its former ones
}

// learn gives every flag its other names.
func (s *source) learn(k *kong.Kong) error {
	s.names, s.maps = map[*kong.Value]aliases{}, map[string]bool{}
	s.learnNode(k.Model.Node, "")
	return nil
}

func (s *source) learnNode(node *kong.Node, section string) {
	for _, flag := range node.Flags {
		n := namesOf(flag, section)
		s.names[flag.Value] = n
		for _, key := range n.keys {
			s.maps[key] = flag.IsMap()
		}
	}
	for _, child := range node.Children {
		s.learnNode(child, cmp.Or(section, child.Name))
	}
}

func namesOf(flag *kong.Flag, section string) aliases {
	var n aliases
	for _, name := range append([]string{flag.Name}, flag.Aliases...) {
		if section != "" && flag.Group == nil {
			name = section + "." + name
		}
		n.keys = append(n.keys, name)
		n.formerEnv = append(n.formerEnv, "JOTGATE_"+strings.NewReplacer("-", "_", ".", "_").Replace(strings.ToUpper(name)))
	}
	n.env, n.formerEnv = n.formerEnv[:1:1], n.formerEnv[1:]
	if also := flag.Tag.Get("also"); also != "" {
		n.env = append(n.env, strings.Split(also, ",")...)
	}
	return n
}

// Resolve implements kong.Resolver.
func (s *source) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	n, known := s.names[flag.Value]
	if !known || flag.Name == "help" || flag.Name == "config" {
		return nil, nil
	}
	for _, name := range slices.Concat(n.env, n.formerEnv) {
		if value := s.env[name]; value != "" {
			return value, nil
		}
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	for _, key := range n.keys {
		if value := s.values[key]; value != nil {
			return value, nil
		}
	}
	return nil, nil
}

// Validate implements kong.Resolver: a line that no flag has is an error, for
// a setting that is misspelt must not be a setting that is not there.
func (s *source) Validate(*kong.Application) error {
	if len(s.values) == 0 {
		return nil
	}
	var all source // this line may know a single command
	if _, err := newParser(&app{}, &all, nil, nil); err != nil {
		return err
	}
	for key := range s.values {
		if _, known := all.maps[key]; !known {
			return fmt.Errorf("%s: there is no setting %q", s.file, key)
		}
	}
	return nil
}

// load reads the config file once.
func (s *source) load() error {
	if s.loaded {
		return nil
	}
	s.loaded = true
	named := s.file != ""
	if !named {
		s.file = s.env["JOTGATE_CONFIG"]
		named = s.file != ""
	}
	if !named {
		s.file = defaultConfig
	}
	text, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil
	} else if err != nil {
		return fmt.Errorf("config file: %w", err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return fmt.Errorf("config file %s: %w", s.file, err)
	}
	s.values = map[string]any{}
	s.flatten("", tree)
	return nil
}

// flatten turns sections into section.name, and every value into text, so that
// it is read as if it stood on the line.
func (s *source) flatten(prefix string, tree map[string]any) {
	for name, value := range tree {
		key := prefix + strings.ReplaceAll(name, "_", "-")
		switch v := value.(type) {
		case map[string]any:
			if !s.maps[key] {
				s.flatten(key+".", v)
				continue
			}
			var pairs []string
			for name, value := range v {
				pairs = append(pairs, fmt.Sprint(name, "=", value))
			}
			s.values[key] = strings.Join(pairs, ";")
		case []any:
			s.values[key] = asTexts(v)
		case nil:
		default:
			s.values[key] = fmt.Sprint(v)
		}
	}
}

func asTexts(values []any) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = fmt.Sprint(v)
	}
	return list
}

// configFlag is --config: it has to be known before the other flags are.
type configFlag string

// BeforeResolve is called by kong when the flag stands on the line.
func (configFlag) BeforeResolve(s *source, line *kong.Context, trace *kong.Path) error {
	s.file = string(line.FlagValue(trace.Flag).(configFlag))
	return s.load()
}
